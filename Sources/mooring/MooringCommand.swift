internal import ArgumentParser
internal import ConfigFile
internal import Serving

/// `mooring`: the root of the command line.
struct MooringCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mooring",
        abstract: "A load balancer that moors every user session to one backend process.",
        discussion: """
            Two ways to begin:
              mooring run app.wsgi --processes 3 --threads 10
              mooring serve -c mooring.toml

            Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the balancer cannot be \
            reached.
            """,
        version: Version.current,
        subcommands: [
            ServeCommand.self, RunCommand.self, CheckCommand.self, StatusCommand.self,
            RestartCommand.self, ReloadCommand.self, ScaleCommand.self, DrainCommand.self,
            StopCommand.self, UpCommand.self,
        ])

    /// Parses and runs a command, and reports its failure.
    ///
    /// The parser's own code for wrong usage is 64 (sysexits.h); ours is 2, as documented.
    static func runToExitCode() -> Int32 {
        do {
            var command = try parseAsRoot()
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch let failure as CommandFailure {
            Terminal.fail(failure.message)
            return failure.code
        } catch let error as ServingError {
            Terminal.fail(error.message)
            return CommandFailure.code(of: error)
        } catch let problems as ConfigurationProblems {
            Terminal.report("\(problems)")
            return CommandFailure.usage
        } catch {
            let text = fullMessage(for: error)
            if exitCode(for: error).isSuccess {
                if !text.isEmpty { Terminal.write(text + "\n") }
                return 0
            }
            Terminal.writeError(text + "\n")
            return CommandFailure.usage
        }
    }
}

/// Ends a command with an exit code.
func finish(_ code: Int32) throws {
    if code != 0 { throw ExitCode(code) }
}

/// A command that fails with a message and one of the documented exit codes.
struct CommandFailure: Error {
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let unreachable: Int32 = 3

    var message: String
    var code: Int32

    /// Something that the system or a peer refused.
    static func failed(_ message: String) -> CommandFailure {
        CommandFailure(message: message, code: failed)
    }

    /// An invalid command line or configuration.
    static func usage(_ message: String) -> CommandFailure {
        CommandFailure(message: message, code: usage)
    }

    /// The exit code for a failure to run or reach the balancer.
    static func code(of error: ServingError) -> Int32 {
        switch error.kind {
        case .failed: failed
        case .invalid: usage
        case .unreachable: unreachable
        }
    }

    /// No balancer answers.
    static func unreachable(_ message: String) -> CommandFailure {
        CommandFailure(message: message, code: unreachable)
    }
}
