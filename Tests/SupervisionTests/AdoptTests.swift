internal import Backends
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Two balancers, one after the other, over the same directories.
extension SupervisorTests {
    @Suite struct Adopting {
        /// Prints as long as it lives, each line another number, and listens.
        static let printer = [
            "python3", "-c",
            """
            import itertools, os, socket, sys, time
            s = socket.socket(socket.AF_UNIX)
            s.bind(os.environ["MOORING_SOCKET"])
            s.listen()
            for n in itertools.count():
                print("line", n, "x" * 200, flush=True)
                print("error", n, file=sys.stderr, flush=True)
                time.sleep(0.001)
            """,
        ]

        /// Leaves one ready process behind.
        private func leaveOne(
            _ command: [String] = listener, in directory: TemporaryFolder,
            change: (inout LaunchSpec) -> Void = { _ in }
        ) throws -> Int32 {
            let first = try SupervisionFixture(
                command, in: directory, keepsRecords: true, change: change)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            return pid
        }

        private func successor(
            _ command: [String] = listener, in directory: TemporaryFolder,
            hasRoom: Bool = true, change: (inout LaunchSpec) -> Void = { _ in }
        ) throws -> SupervisionFixture {
            try SupervisionFixture(
                command, in: directory, keepsRecords: true, hasRoom: hasRoom, change: change)
        }

        @Test func `a process that was left is adopted with all that was known of it`() throws {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true) {
                $0.fingerprint = "sha256:1"
            }
            let process = first.spawn()
            try first.waitUntilReady(process)
            let (pid, label) = (try first.pid(of: process), try first.label(of: process))
            let address = try first.address(of: process)
            first.supervisor.leave()
            first.supervisor.stop()

            let second = try successor(in: directory) { $0.fingerprint = "sha256:1" }
            let (handle, adopted) = try second.adopted()
            #expect(isAlive(pid))
            #expect(adopted.pid == pid && adopted.label == label && adopted.address == address)
            #expect(
                adopted.wasReady && !adopted.isStale && adopted.sessions == RememberedSessions())
            #expect(!second.facts.all.contains(.ready(handle)), "it was ready when adopted")
            second.terminate(handle)
            let report = try second.waitForExit(handle)
            #expect(report.signal == 15)
            #expect(zombies() == [])
            #expect(directory.records == [])
        }

        @Test func `a process of another launch than the configuration's is stale`() throws {
            let directory = TemporaryFolder()
            _ = try leaveOne(in: directory) { $0.fingerprint = "one" }
            let second = try successor(in: directory) { $0.fingerprint = "two" }
            #expect(try second.adopted().1.isStale)
        }

        @Test func `what a process prints while there is no balancer is read by the next`() throws {
            let directory = TemporaryFolder()
            let script = "while :; do read x < \(directory.path)/go; echo got $x; done"
            unsafe mkfifo("\(directory.path)/go", 0o600)
            let first = try SupervisionFixture(
                ["sh", "-c", script], in: directory, keepsRecords: true)
            _ = try first.pid(of: first.spawn())
            first.supervisor.leave()
            first.supervisor.stop()
            _ = directory.file("go", "between\n")
            let second = try successor(["sh", "-c", script], in: directory)
            #expect(try second.waitForLine("got ") == "between")
            _ = try second.adopted()
        }

        @Test func `one that was not ready yet becomes so under the next balancer`() throws {
            let directory = TemporaryFolder()
            let script = """
                import os, socket
                open(os.environ["GO"]).read()
                s = socket.socket(socket.AF_UNIX)
                s.bind(os.environ["MOORING_SOCKET"])
                s.listen()
                s.accept()
                s.accept()
                """
            let go = "\(directory.path)/go"
            unsafe mkfifo(go, 0o600)
            let command = ["python3", "-c", script]
            let first = try SupervisionFixture(
                command, environment: ["GO": go], in: directory, keepsRecords: true)
            _ = try first.pid(of: first.spawn())
            first.supervisor.leave()
            first.supervisor.stop()
            let second = try successor(command, in: directory)
            let (handle, adopted) = try second.adopted()
            #expect(!adopted.wasReady)
            _ = directory.file("go", "go")
            try second.waitUntilReady(handle)
        }

        @Test func `processes that no group has room for are stopped`() throws {
            let directory = TemporaryFolder()
            let pid = try leaveOne(in: directory)
            let second = try successor(in: directory, hasRoom: false)
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
            second.supervisor.stop()
            #expect(directory.records == [])
            #expect(zombies() == [])
        }

        @Test func `a process whose group is gone is stopped`() throws {
            let directory = TemporaryFolder()
            let pid = try leaveOne(in: directory)
            let second = try successor(in: directory) { $0.groupName = "another" }
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
            #expect(second.facts.all.allSatisfy { !$0.isAdoption })
        }

        @Test func `one that does not listen any more is stopped`() throws {
            let directory = TemporaryFolder()
            let pid = try leaveOne(in: directory)
            for name in ProcFile.entries("\(directory.path)/run") where name.hasSuffix(".sock") {
                unsafe unlink("\(directory.path)/run/\(name)")
            }
            let second = try successor(in: directory)
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
            #expect(second.facts.all.allSatisfy { !$0.isAdoption })
        }

        @Test
        func `a process that was left is neither stopped nor reported by the one who left it`()
            throws
        {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.terminate(process)
            first.supervisor.killAll()
            let late = first.spawn()
            let refusal = try first.waitForExit(late)
            #expect(refusal.reason.contains("left its processes"))
            first.supervisor.stop()
            #expect(isAlive(pid))
            let second = try successor(in: directory)
            _ = try second.adopted()
            #expect(
                !first.facts.all.contains { fact in
                    if case .exited(process, _) = fact { true } else { false }
                })
        }

        @Test func `the one who left collects its child when that ends`() throws {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.leave()
            kill(pid, SIGKILL)
            // A zombie still answers to signal 0.
            #expect(waitUntil { !isAlive(pid) })
            #expect(zombies() == [])
        }

        @Test func `fifty changes of balancers lose no process and no line's end`() throws {
            let directory = TemporaryFolder()
            let pid = try leaveOne(Self.printer, in: directory)
            for _ in 0..<50 {
                let next = try successor(Self.printer, in: directory)
                let (_, adopted) = try next.adopted()
                #expect(adopted.pid == pid)
                // It is not blocked by its output, nor was it ended by it.
                _ = try next.waitForLine("line ")
                _ = try next.waitForLine("error ")
                next.supervisor.leave()
                next.supervisor.stop()
            }
            let last = try successor(Self.printer, in: directory)
            let (handle, _) = try last.adopted()
            last.kill(handle)
            _ = try last.waitForExit(handle)
        }

        @Test(.enabled(if: geteuid() == 0))
        func `a process of another user is adopted`() throws {
            let directory = TemporaryFolder()
            unsafe chmod(directory.path, 0o711)
            let account = try Account.find(user: "65534", group: "65534")
            let pid = try leaveOne(Self.printer, in: directory) { launch in
                launch.isolation.account = account
                launch.directory = "/"
            }
            let second = try successor(Self.printer, in: directory) { launch in
                launch.isolation.account = account
            }
            #expect(try second.adopted().1.pid == pid)
            _ = try second.waitForLine("line ")
        }

        @Test func `a generation is started by its own launch, and a group that came later too`()
            throws
        {
            let fixture = try SupervisionFixture(["echo", "old"])
            var launch = LaunchSpec(
                command: ["echo", "new"], directory: fixture.directory.path,
                environment: ["PATH": "/usr/bin:/bin"], threads: 1, multiprocess: false,
                groupName: "group0")
            fixture.supervisor.setLaunch(launch, group: 0, generation: 2)
            launch.command = ["echo", "added"]
            fixture.supervisor.update([nil, launch], [fixture.group, fixture.group])
            let first = fixture.spawn(generation: 1)
            let second = fixture.spawn(generation: 2)
            let third = fixture.spawn(group: 1)
            #expect(try fixture.waitForExit(first).output == ["old"])
            #expect(try fixture.waitForExit(second).output == ["new"])
            #expect(try fixture.waitForExit(third).output == ["added"])
        }

        @Test func `recorded sessions are passed to the registry`() throws {
            let directory = TemporaryFolder()
            let first = try SupervisionFixture(listener, in: directory, keepsRecords: true)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let sessions = (1...3).map { SessionID(high: .max - UInt64($0), low: UInt32($0)) }
            let remembered = RememberedSessions(
                confirmed: Array(sessions.dropFirst()), unconfirmed: [sessions[0]])
            first.remember(process, RememberedSessions(confirmed: Array(sessions.prefix(1))))
            first.remember(process, remembered)
            first.supervisor.leave()
            first.supervisor.stop()
            let second = try successor(in: directory)
            #expect(try second.adopted().1.sessions == remembered)
        }
    }
}

extension TemporaryFolder {
    /// The names of the records in the state directory.
    var records: [String] {
        ProcFile.entries("\(path)/state/processes").filter { !$0.hasPrefix(".") }
    }
}

extension Fact {
    var isAdoption: Bool { if case .adopted = self { true } else { false } }
}

extension SupervisionFixture {
    /// The first process that was adopted; known when the supervisor has started.
    func adopted() throws -> (ProcessHandle, AdoptedProcess) {
        try facts.wait("adopted") { facts in
            facts.lazy.compactMap { fact in
                if case .adopted(let handle, let process) = fact { (handle, process) } else { nil }
            }.first
        }
    }
}
