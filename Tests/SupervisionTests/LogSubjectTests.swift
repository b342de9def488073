internal import Backends
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// Lines about a process carry its group as metadata, as those of the registry's events do.
    @Suite struct NamingGroups {
        @Test func `a watchdog's and a flood's lines name the group`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os, signal, socket
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.connect(os.environ["NOTIFY_SOCKET"])
                for i in range(2000): s.send(b"STATUS=%d" % i)
                s.send(b"WATCHDOG=trigger")
                signal.pause()
                """,
            ])
            try fixture.wait(for: .recycled(fixture.spawn(), .watchdog))
            #expect(fixture.facts.groups(ofLinesWith: "tells its state too often") == ["group0"])
            #expect(fixture.facts.groups(ofLinesWith: "is recycled: it sent") == ["group0"])
        }

        @Test func `lines about bad answers to health checks name the group`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os, socket
                s = socket.socket(socket.AF_UNIX)
                s.bind(os.environ["MOORING_SOCKET"])
                s.listen()
                answers = ["500 No", "404 Not Found", "500 No"]
                while True:
                    c, _ = s.accept()
                    if c.recv(4096):
                        c.sendall(b"HTTP/1.1 %s\\r\\n\\r\\n" % answers[0].encode())
                        if len(answers) > 1: answers.pop(0)
                    c.close()
                """,
            ]) { launch in
                var health = HealthPolicy(path: "/up")
                health.interval = .milliseconds(20)
                health.fall = 1
                launch.health = health
            }
            try fixture.wait(for: .recycled(fixture.spawn(), .unhealthy))
            for line in ["is not healthy yet", "answers 404 at", "is recycled: 1 health"] {
                #expect(fixture.facts.groups(ofLinesWith: line) == ["group0"], "\(line)")
            }
        }

        @Test func `a line about too much memory names the group`() throws {
            let fixture = try SupervisionFixture(listener) { $0.maxMemory = 1 << 20 }
            try fixture.wait(for: .recycled(fixture.spawn(), .maxMemory))
            #expect(fixture.facts.groups(ofLinesWith: "max_memory") == ["group0"])
        }

        @Test func `lines about processes left, adopted or stopped name the group`() throws {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            try first.waitUntilReady(first.spawn())
            first.supervisor.leave()
            first.supervisor.stop()
            #expect(first.facts.groups(ofLinesWith: "left process") == ["group0"])

            let second = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            #expect(second.facts.groups(ofLinesWith: "adopted process") == ["group0"])
            second.supervisor.leave()
            second.supervisor.stop()

            let third = try SupervisionFixture(
                listener, in: directory, keepsRecords: true, hasRoom: false)
            _ = try third.facts.wait("the end") { _ in
                let ends = third.facts.groups(ofLinesWith: "of an earlier balancer has ended")
                return ends.isEmpty ? nil : ends
            }
            for line in ["stopping pid", "of an earlier balancer has ended"] {
                #expect(third.facts.groups(ofLinesWith: line) == ["group0"], "\(line)")
            }
        }

        @Test func `a line about a process whose group is gone names that group`() throws {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            try first.waitUntilReady(first.spawn())
            first.supervisor.leave()
            first.supervisor.stop()
            let second = try SupervisionFixture(listener, in: directory, keepsRecords: true) {
                $0.groupName = "another"
            }
            #expect(second.facts.groups(ofLinesWith: "has no such group") == ["group0"])
        }
    }
}
