internal import Backends
internal import Glibc
internal import Reactor
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// Whose the listener at a process's port is.
    @Suite struct Ports {
        @Test(arguments: ["127.0.0.1", "0.0.0.0", "::"])
        func `a start whose port belongs to another user fails, and the user is named`(host: String)
            throws
        {
            let fixture = try SupervisionFixture(script: "echo port $PORT {port}; exec sleep 1000")
            let process = fixture.spawn()
            let thief = try take(fixture, host)
            let report = try fixture.waitForExit(process)
            thief.close()
            #expect(report.reason.contains("of the user with the id \(geteuid()), listens at"))
            #expect(!fixture.facts.all.contains(.ready(process)))
        }

        @Test func `a process that sends READY=1 before it listens is ready when it does`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os, signal, socket, sys
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                    s.connect(os.environ["NOTIFY_SOCKET"])
                    s.send(b"READY=1\\nSTATUS=said")
                signal.sigwait([signal.SIGUSR1])
                s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
                while True: s.accept()
                """, "{port}",
            ])
            let process = fixture.spawn()
            try fixture.wait(for: .noted(process, .status("said")))
            #expect(!fixture.facts.all.contains(.ready(process)))
            try kill(fixture.pid(of: process), SIGUSR1)
            try fixture.waitUntilReady(process)
        }

        @Test(arguments: [
            "os.fork()",
            "os.fork() == 0 and os.setsid()",
            "os.fork() == 0 and (os.setsid(), os.fork() == 0 or os._exit(0))",
        ])
        func `a descendant that listens makes its process ready`(departure: String) throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os, signal, socket, sys
                leader = os.getpid()
                \(departure)
                if os.getpid() != leader:
                    s = socket.create_server(("", int(sys.argv[1])))
                    while True: s.accept()
                signal.pause()
                """, "{port}",
            ])
            try fixture.waitUntilReady(fixture.spawn())
        }

        @Test func `a process that listens for IPv6 and IPv4 at once is ready`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import socket, sys
                s = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6,
                                         dualstack_ipv6=True)
                while True: s.accept()
                """, "{port}",
            ])
            try fixture.waitUntilReady(fixture.spawn())
        }

        @Test func `an adopted process whose port belongs to another user is stopped`() throws {
            let directory = TemporaryFolder()
            let command = [
                "python3", "-c",
                """
                import os, signal, socket, sys
                s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
                signal.signal(signal.SIGUSR1, lambda *_: s.close())
                print("port", sys.argv[1], flush=True)
                while True: signal.pause()
                """, "{port}",
            ]
            let first = try SupervisionFixture(command, in: directory, keepsRecords: true)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let pid = try first.pid(of: process)
            let port = try port(first)
            first.supervisor.leave()
            first.supervisor.stop()
            kill(pid, SIGUSR1)
            var thief: ListeningSocket?
            #expect(
                waitUntil {
                    thief = try? ListeningSocket(.tcp("127.0.0.1", port))
                    return thief != nil
                })
            let second = try SupervisionFixture(command, in: directory, keepsRecords: true)
            try second.facts.wait("the refusal") { facts in
                facts.contains {
                    if case .logged(let line, _) = $0 {
                        line.hasPrefix("stopping pid \(pid)") && line.contains("of the user with")
                    } else {
                        false
                    }
                } ? () : nil
            }
            thief?.close()
        }

        private func port(_ fixture: SupervisionFixture) throws -> UInt16 {
            let text = try fixture.waitForLine("port ")
            return try #require(text.split(separator: " ").first.flatMap { UInt16($0) })
        }

        private func take(_ fixture: SupervisionFixture, _ host: String) throws -> ListeningSocket {
            try ListeningSocket(try .tcp(host, port(fixture)))
        }
    }
}

@Suite struct TCPListenerTests {
    private let heading: Substring = "  sl  local_address rem_address   st tx_queue rx_queue tr"

    @Test func `a line of a listening IPv4 socket is read`() throws {
        let line: Substring = """
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 \
            54321 1 0000000000000000 100 0 0 10 0
            """
        let listener = try #require(TCPListener(line: line))
        #expect(listener == make("127.0.0.1", 8080, user: 1000, inode: 54321))
    }

    @Test func `a line of a listening IPv6 socket is read`() throws {
        let line: Substring = """
               1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A \
            00000000:00000000 00:00000000 00000000    33        0 777 1 0000000000000000 100 0 0 10 0
            """
        #expect(try #require(TCPListener(line: line)) == make("::1", 80, user: 33, inode: 777))
    }

    @Test func `the heading, a connection and what is cut are no listeners`() {
        let connection: Substring = """
               2: 0100007F:1F90 0100007F:D2A4 01 00000000:00000000 00:00000000 00000000  1000        0 \
            54321 1 0000000000000000 20 4 30 10 -1
            """
        for line in [heading, connection, "   3: 0100007F:1F90 00000000:0000 0A", ""] {
            #expect(TCPListener(line: line) == nil)
        }
    }

    @Test(arguments: ["127.0.0.1", "0.0.0.0", "::1", "::"])
    func `netlink and /proc agree about a listener`(host: String) throws {
        let socket = try ListeningSocket(SocketAddress.tcp(host, 0))
        defer { close(socket.descriptor) }
        let port = UInt16(socket.address.port)
        let asked = try #require(ListenerDiagnosis.listeners(at: port))
        // A reading of the table while others' sockets come and go repeats lines and misses some.
        var found: TCPListener?
        for _ in 0..<1000 where found == nil {
            let lines = TCPListener.listed(ofIPv4: true)?.filter { $0.port == port } ?? []
            if Set(lines.map(\.inode)).count == 1 { found = lines[0] }
        }
        let listed = try #require(found)
        #expect(asked.map { make(host, port, user: $0.user, inode: $0.inode) } == [listed])
        #expect(asked.map { [$0.high, $0.low] } == [[listed.host.high, listed.host.low]])
    }

    @Test(arguments: [
        (["127.0.0.1", "0.0.0.0", "::"], [0]), (["::", "0.0.0.0"], [1]), (["::"], [0]),
        (["127.0.0.2", "::1"], []), (["::ffff:127.0.0.1", "0.0.0.0"], [0]),
        (["127.0.0.1", "127.0.0.1"], [0, 1]),
    ])
    func `the listener that the kernel prefers is looked at`(hosts: [String], chosen: [Int]) throws
    {
        let all = hosts.enumerated().map { make($1, 80, user: 0, inode: UInt64($0)) }
        let target = make("127.0.0.1", 80, user: 0, inode: 0).host
        let found = TCPListener.nearest(to: target, port: 80, among: all)
        #expect(found.map { Int($0.inode) } == chosen)
        #expect(TCPListener.nearest(to: target, port: 81, among: all).isEmpty)
    }

    private func make(
        _ host: String, _ port: UInt16, user: UInt32, inode: UInt64
    ) -> TCPListener {
        guard let ip = try? SocketAddress.tcp(host, port).ip else {
            preconditionFailure("\(host) is numeric")
        }
        return TCPListener(
            host: .init(high: ip.high, low: ip.low), port: port, user: user, inode: inode)
    }
}
