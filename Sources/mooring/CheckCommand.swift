internal import ArgumentParser
internal import ConfigFile
internal import Serving

/// `mooring check`: checks whether a configuration is valid, and would work on this machine.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validates a configuration file.",
        discussion: """
            Checks the file and everything that it refers to: applications, programs, users, \
            folders, certificates, addresses, limits. Nothing is started.

            Exit code 0 if the configuration is valid; 2 if not, with all its problems.
            """)

    @OptionGroup var configurationFile: ConfigurationFile
    @Flag(help: "Print the configuration with all defaults filled in.")
    var print = false

    func run() throws {
        let path = configurationFile.path
        let found = try Examination(file: path)
        for warning in found.warnings { Terminal.writeError("\(warning.warning)\n") }
        guard let configuration = found.configuration, found.problems.isEmpty else {
            throw ConfigurationProblems(found.problems)
        }
        for warning in configuration.warnings { Terminal.complain(warning) }
        if print {
            Terminal.write(configuration.tomlText)
        } else {
            Terminal.write("\(path): good\n")
        }
    }
}
