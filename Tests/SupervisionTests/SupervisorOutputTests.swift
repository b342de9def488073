internal import Backends
internal import Glibc
internal import Logging
internal import Reactor
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    @Suite struct Output {
        @Test func `lines of stdout are information, those of stderr notices`() throws {
            let fixture = try SupervisionFixture(script: "echo one; echo two >&2; printf three")
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(Set(report.output) == ["one", "two", "three"])
            #expect(fixture.facts.all.contains(.logged("one", .info)))
            #expect(fixture.facts.all.contains(.logged("two", .notice)))
        }

        @Test func `a line that is too long is cut`() throws {
            let fixture = try SupervisionFixture(
                script: "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end")
            let output = try fixture.waitForExit(fixture.spawn()).output
            try #require(output.count == 2)
            #expect(output[0].hasSuffix("x [cut: longer than 8192 bytes]"))
            #expect(output[0].utf8.count < 8300)
            #expect(output[1] == "end")
        }

        @Test func `a process that floods its output is neither blocked nor in the way`() throws {
            // Far more than a pipe holds: it would hang in write(2) without a reader.
            let fixture = try SupervisionFixture(
                ["sh", "-c", "yes flood | head -c 600000; echo done"], listener)
            let flooding = fixture.spawn(group: 0)
            let other = fixture.spawn(group: 1)
            try fixture.waitUntilReady(other)
            #expect(try fixture.waitForExit(flooding).output.last == "done")
            let lines = fixture.facts.all.count { $0 == .logged("flood", .info) }
            #expect(lines >= 2000)
            #expect(lines < 50_000)
            let told = fixture.facts.all.contains { fact in
                guard case .logged(let line, .notice) = fact else { return false }
                return line.hasSuffix("lines not logged: more than 1000 a second")
            }
            #expect(told)
        }

        @Test func `a flooding process can be stopped`() throws {
            let fixture = try SupervisionFixture(["yes"])
            let process = fixture.spawn()
            _ = try fixture.waitForLine("y")
            fixture.terminate(process)
            #expect(try fixture.waitForExit(process).signal == SIGTERM)
        }

        @Test func `a descendant that holds the pipes open does not hold up the report`() throws {
            // Its environment is empty, so that it is not known whose it is, and it lives on.
            let fixture = try SupervisionFixture(
                script: """
                    env -i setsid sh -c 'echo holder $$; exec sleep 1000' &
                    read line < fifo
                    """
            ) { $0.isolation.ownCgroup = false }
            unsafe mkfifo("\(fixture.directory.path)/fifo", 0o600)
            let process = fixture.spawn()
            let holder = try #require(Int32(fixture.waitForLine("holder ")))
            let fifo = unsafe open("\(fixture.directory.path)/fifo", O_WRONLY)
            close(fifo)
            #expect(try fixture.waitForExit(process).status == 1)
            #expect(isAlive(holder))
        }

        @Test func `the last lines and the usage of a living process can be seen`() throws {
            let fixture = try SupervisionFixture(script: "echo hello; exec sleep 1000")
            let process = fixture.spawn()
            _ = try fixture.waitForLine("hello")
            #expect(fixture.supervisor.output(of: process, group: 0) == ["hello"])
            let usage = fixture.supervisor.usage()[try fixture.pid(of: process)]
            #expect((usage?.residentBytes ?? 0) > 10_000)
            fixture.kill(process)
            _ = try fixture.waitForExit(process)
            #expect(fixture.supervisor.output(of: process, group: 0) == [])
            #expect(fixture.supervisor.usage() == [:])
        }
    }

    @Suite struct Loop {
        @Test func `a group is advanced when its deadline comes, however late that was set`() throws
        {
            let fixture = try SupervisionFixture(["true"])
            let due = Clock.monotonic() + 30_000_000
            fixture.group.deadline.withLock { $0 = MonotonicInstant(nanoseconds: due) }
            fixture.supervisor.wake()
            try fixture.facts.wait("advanced") { $0.contains(.advanced) ? () : nil }
            #expect(Clock.monotonic() >= due)
        }

        @Test func `a signal to this program is reported, not acted on`() throws {
            let fixture = try SupervisionFixture(["true"])
            // On the loop's own thread: the other threads of the tests do not block signals.
            fixture.group.onAdvance.withLock { $0 = { raise(SIGHUP) } }
            fixture.group.deadline.withLock { $0 = MonotonicInstant(nanoseconds: 0) }
            fixture.supervisor.wake()
            try fixture.facts.wait("a signal") { $0.contains(.signal(SIGHUP)) ? () : nil }
        }

        @Test func `there is one supervisor at a time`() throws {
            let fixture = try SupervisionFixture(["true"])
            let second = try Supervisor(
                runtimeDirectory: fixture.directory.path, launches: [], log: .init(label: "test"),
                onSignal: { _ in })
            #expect(throws: SupervisionError.alreadyRunning) { try second.start() }
        }

        @Test func `the host program is in the runtime directory`() throws {
            let fixture = try SupervisionFixture(["true"])
            let folder = "\(fixture.directory.path)/run/"
            let file = Supervisor.hostFile(inRuntimeDirectory: folder)
            #expect(ProcFile.bytes(file) == PackageResources.mooring_host_py)
            let files = Supervisor.hostFiles(inRuntimeDirectory: folder)
            #expect(files.map(ProcFile.bytes) == HostProgram.files.map(\.content))
            #expect(files.contains { $0.hasSuffix("/mooring_response.py") })
        }
    }
}
