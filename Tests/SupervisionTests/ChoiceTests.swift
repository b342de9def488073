internal import Backends
internal import Glibc
internal import Reactor
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// Programs that get both a socket and a port, and programs that listen over IPv6 alone.
    @Suite struct Choices {
        /// A program that evaluates an expression which listens, and then waits.
        private func program(_ listening: String, _ words: String...) -> [String] {
            [
                "python3", "-c",
                """
                import os, signal, socket, sys
                def unix():
                    s = socket.socket(socket.AF_UNIX)
                    s.bind(os.environ["MOORING_SOCKET"])
                    s.listen()
                    return s
                def tcp(host, family=socket.AF_INET):
                    return socket.create_server((host, int(os.environ["PORT"])), family=family)
                print("port", os.environ.get("PORT"), os.environ.get("HOST"), flush=True)
                s = \(listening)
                signal.pause()
                """,
            ] + words
        }

        @Test func `a program that listens on PORT is ready there`() throws {
            let fixture = try SupervisionFixture(program("tcp(os.environ['HOST'])"))
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            let port = try port(fixture)
            let address = ProcessAddress.tcp(host: "127.0.0.1", port: port)
            #expect(fixture.facts.all.contains(.listens(process, address)))
        }

        @Test func `a program that listens on MOORING_SOCKET is ready there`() throws {
            let fixture = try SupervisionFixture(program("unix()"))
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            guard case .unix = try fixture.address(of: process) else {
                Issue.record("it has another address")
                return
            }
            #expect(
                !fixture.facts.all.contains { if case .listens = $0 { true } else { false } })
        }

        @Test(arguments: [[], ["{port}"]])
        func `a program that listens on the IPv6 loopback address alone is ready`(words: [String])
            throws
        {
            let fixture = try SupervisionFixture(
                program("tcp('::1', socket.AF_INET6)") + words)
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            let address = ProcessAddress.tcp(host: "::1", port: try port(fixture))
            #expect(fixture.facts.all.contains(.listens(process, address)))
        }

        @Test(arguments: ["127.0.0.1", "::1"])
        func `a port of another user does not keep a process from its socket`(host: String) throws {
            let fixture = try SupervisionFixture(
                program("signal.sigwait([signal.SIGUSR1]) and unix()")
            ) { launch in
                launch.command[2] =
                    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
                    + launch.command[2]
            }
            let process = fixture.spawn()
            let thief = try ListeningSocket(.tcp(host, try port(fixture)))
            defer { thief.close() }
            let isLookedAt = waitUntil {
                guard case .connection(let socket, _) = thief.accept() else { return false }
                socket.close()
                return true
            }
            #expect(isLookedAt)
            #expect(!fixture.facts.all.contains(.ready(process)))
            try kill(fixture.pid(of: process), SIGUSR1)
            try fixture.waitUntilReady(process)
            #expect(
                !fixture.facts.all.contains { if case .listens = $0 { true } else { false } })
        }

        @Test func `the exit of a process whose port is taken names the holder`() throws {
            let fixture = try SupervisionFixture(
                program("signal.sigwait([signal.SIGUSR1]) and tcp('127.0.0.1')")
            ) { launch in
                launch.command[2] =
                    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
                    + launch.command[2]
            }
            let process = fixture.spawn()
            let thief = try ListeningSocket(.tcp("127.0.0.1", try port(fixture)))
            defer { thief.close() }
            try kill(fixture.pid(of: process), SIGUSR1)
            let report = try fixture.waitForExit(process)
            #expect(report.reason.contains("of the user with the id \(geteuid()), listens at"))
        }

        @Test func `a start that is left to the next balancer is found at its port`() throws {
            let directory = TemporaryFolder()
            let command = program("signal.sigwait([signal.SIGUSR1]) and tcp('127.0.0.1')")
            let change = { (launch: inout LaunchSpec) in
                launch.command[2] =
                    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
                    + launch.command[2]
            }
            let first = try SupervisionFixture(
                command, in: directory, keepsRecords: true, change: change)
            let process = first.spawn()
            let port = try port(first)
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let second = try SupervisionFixture(
                command, in: directory, keepsRecords: true, change: change)
            kill(pid, SIGUSR1)
            try second.facts.wait("the port") { facts in
                facts.contains {
                    if case .listens(_, .tcp("127.0.0.1", port)) = $0 { true } else { false }
                } ? () : nil
            }
        }

        @Test func `a process not ready in time is reported with where it listens`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import signal, socket
                s = socket.create_server(("127.0.0.1", 0))
                u = socket.socket(socket.AF_UNIX)
                u.bind("elsewhere.sock")
                u.listen()
                print("port", s.getsockname()[1], "-", flush=True)
                signal.pause()
                """,
            ])
            let process = fixture.spawn()
            let port = try port(fixture)
            fixture.kill(process)
            let report = try fixture.waitForExit(process)
            #expect(report.reason.contains("Mooring waits until it listens at unix:"))
            #expect(
                report.reason.contains(
                    "it listens at 127.0.0.1:\(port) and unix:elsewhere.sock instead"))
            #expect(report.signal == SIGKILL)
        }

        private func port(_ fixture: SupervisionFixture) throws -> UInt16 {
            let text = try fixture.waitForLine("port ")
            return try #require(text.split(separator: " ").first.flatMap { UInt16($0) })
        }
    }
}
