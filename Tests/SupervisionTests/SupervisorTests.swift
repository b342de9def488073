internal import Backends
internal import Glibc
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Tests with real processes, one after the other: a supervisor collects every stray descendant.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SupervisorTests {
    @Suite struct Starting {
        @Test func `a process that listens on its socket becomes ready once, and ends on SIGTERM`()
            throws
        {
            let fixture = try SupervisionFixture(listener)
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            guard case .unix(let path) = try fixture.address(of: process) else {
                Issue.record("a process gets a socket unless it asks for a port")
                return
            }
            fixture.terminate(process)
            let report = try fixture.waitForExit(process)
            #expect(report.reason == "killed by signal 15 (SIGTERM)")
            #expect(report.signal == 15)
            #expect(report.status == nil)
            #expect(fixture.facts.all.count { $0 == .ready(process) } == 1)
            #expect(unsafe access(path, F_OK) != 0, "the socket file is removed")
        }

        @Test func `a process that asks for a port is ready when it listens there`() throws {
            let fixture = try SupervisionFixture(listener + ["{port}"])
            let process = fixture.spawn()
            try fixture.waitUntilReady(process)
            guard case .tcp("127.0.0.1", let port) = try fixture.address(of: process) else {
                Issue.record("a process that asks for a port gets one of the loopback address")
                return
            }
            #expect(port > 0)
        }

        @Test func `a process that never listens never becomes ready`() throws {
            let fixture = try SupervisionFixture(["sleep", "1000"], listener)
            let silent = fixture.spawn(group: 0)
            let other = fixture.spawn(group: 1)
            try fixture.waitUntilReady(other)
            fixture.kill(silent)
            #expect(try fixture.waitForExit(silent).signal == SIGKILL)
            #expect(!fixture.facts.all.contains(.ready(silent)))
        }

        @Test func `the status of a process that ends by itself is reported`() throws {
            let fixture = try SupervisionFixture(script: "exit 3")
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.reason == "exited with status 3")
            #expect(report.status == 3)
            #expect(report.signal == nil)
        }

        @Test func `a missing program is named, without a process`() throws {
            let fixture = try SupervisionFixture(["./app"])
            let process = fixture.spawn()
            let report = try fixture.waitForExit(process)
            #expect(report.reason == "No such file or directory: ./app (exec)")
            let spawned = fixture.facts.all.contains {
                if case .spawned = $0 { true } else { false }
            }
            #expect(!spawned)
        }

        @Test func `a program that is not in the path is named with the path`() throws {
            let fixture = try SupervisionFixture(["no-such-program"])
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(
                report.reason == "No such file or directory: no-such-program "
                    + "(exec, PATH is /usr/local/bin:/usr/bin:/bin)")
        }

        @Test func `a file that cannot be executed is reported`() throws {
            let fixture = try SupervisionFixture(["./app"])
            _ = fixture.directory.file("app", "text", mode: 0o600)
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.reason == "Permission denied: ./app (exec)")
        }

        @Test func `a missing interpreter is distinguished from a missing script`()
            throws
        {
            let fixture = try SupervisionFixture(["./app"])
            _ = fixture.directory.file("app", "#!/no/such/interpreter\n", mode: 0o700)
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.reason.contains("the file exists, but the interpreter"))
        }

        @Test func `a script that does not compile has its last words in the report`() throws {
            let fixture = try SupervisionFixture(["python3", "app.py"])
            _ = fixture.directory.file("app.py", "def broken(:\n")
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.status == 1)
            #expect(report.output.last == "SyntaxError: invalid syntax")
        }

        @Test func `a failed start leaves no descriptor behind`() throws {
            let fixture = try SupervisionFixture(["./app"])
            _ = try fixture.waitForExit(fixture.spawn())
            func childDescriptors() -> Int {
                ProcFile.entries("/proc/self/fd").count { entry in
                    var target = [CChar](repeating: 0, count: 64)
                    let length = unsafe readlink("/proc/self/fd/\(entry)", &target, 63)
                    let text = String(
                        decoding: target[..<max(length, 0)].map { UInt8(bitPattern: $0) },
                        as: UTF8.self)
                    return text == "anon_inode:[pidfd]" || text.hasPrefix("pipe:")
                }
            }
            let before = childDescriptors()
            for _ in 0..<50 { _ = try fixture.waitForExit(fixture.spawn()) }
            #expect(childDescriptors() < before + 50)
        }
    }

    /// What a process finds when it starts.
    @Suite struct Surroundings {
        @Test func `no descriptor but the standard three goes over`() throws {
            // One that is not close-on-exec, as a careless library would open it.
            let leaky = unsafe open("/dev/null", O_RDONLY)
            defer { close(leaky) }
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os
                d = "/proc/self/fd/"
                print("open:", [f for f in os.listdir(d) if os.path.exists(d + f)])
                print("stdin:", os.readlink(d + "0"))
                """,
            ])
            let report = try fixture.waitForExit(fixture.spawn())
            #expect(report.output == ["open: ['0', '1', '2']", "stdin: /dev/null"])
        }

        @Test func `the environment is what was declared and what Mooring tells`() throws {
            let fixture = try SupervisionFixture(["env"], environment: ["GIVEN": "1"])
            let report = try fixture.waitForExit(fixture.spawn())
            let names = report.output.map { $0.prefix { $0 != "=" } }
            #expect(
                names.sorted() == [
                    "GIVEN", "HOST", "MOORING_GROUP", "MOORING_MULTIPROCESS", "MOORING_PROCESS",
                    "MOORING_SOCKET", "MOORING_THREADS", "NOTIFY_SOCKET", "PATH", "PORT",
                ])
            #expect(report.output.contains("MOORING_THREADS=3"))
        }

        @Test func `signals, session, umask and directory are those of a fresh program`() throws {
            let fixture = try SupervisionFixture(
                script: """
                    umask; pwd
                    cut -d' ' -f5,6 /proc/$$/stat; echo $$ $$
                    exec grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status
                    """)
            let output = try fixture.waitForExit(fixture.spawn()).output
            try #require(output.count == 7)
            #expect(output[0] == "0022")
            #expect(output[1] == fixture.directory.path)
            #expect(output[2] == output[3], "leader of its process group and session")
            #expect(
                output[4...].sorted() == [
                    "NoNewPrivs:\t1", "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
                ])
        }
    }

    @Suite struct Stopping {
        @Test func `killing a process that ignores SIGTERM takes its children with it`() throws {
            let fixture = try SupervisionFixture(
                script: """
                    trap 'echo ignored' TERM
                    (trap '' TERM; echo "child $(exec sh -c 'echo $PPID')"; exec sleep 1000) &
                    while :; do wait; done
                    """)
            let process = fixture.spawn()
            let child = try #require(Int32(fixture.waitForLine("child ")))
            fixture.terminate(process)
            _ = try fixture.waitForLine("ignored")
            #expect(isAlive(child))
            fixture.kill(process)
            #expect(try fixture.waitForExit(process).reason == "killed by signal 9 (SIGKILL)")
            try waitUntilGone(child)
        }

        @Test func `when the leader ends, the rest of its group is killed`() throws {
            let fixture = try SupervisionFixture(
                script: "sleep 1000 & echo child $!; exit 0")
            let process = fixture.spawn()
            let child = try #require(Int32(fixture.waitForLine("child ")))
            #expect(try fixture.waitForExit(process).status == 0)
            try waitUntilGone(child)
        }

        @Test func `a descendant in a session of its own ends with its process`() throws {
            let fixture = try SupervisionFixture(
                script: """
                    setsid sh -c 'echo stray $$; exec sleep 1000' &
                    exec sleep 1000
                    """)
            let process = fixture.spawn()
            let stray = try #require(Int32(fixture.waitForLine("stray ")))
            #expect(isAlive(stray))
            fixture.kill(process)
            _ = try fixture.waitForExit(process)
            try waitUntilGone(stray)
        }

        @Test func `a suspended process sees SIGTERM`() throws {
            let fixture = try SupervisionFixture(["sleep", "1000"])
            let process = fixture.spawn()
            kill(try fixture.pid(of: process), SIGSTOP)
            fixture.terminate(process)
            #expect(try fixture.waitForExit(process).signal == SIGTERM)
        }

        @Test func `fifty processes that die at once are all reported and collected`() throws {
            let fixture = try SupervisionFixture(["sleep", "1000"])
            let processes = (0..<50).map { _ in fixture.spawn() }
            let pids = try processes.map { try fixture.pid(of: $0) }
            for pid in pids { kill(pid, SIGKILL) }
            for process in processes {
                #expect(try fixture.waitForExit(process).signal == SIGKILL)
            }
            #expect(zombies() == [])
            #expect(!pids.contains(where: isAlive))
        }

        @Test func `orders for a process that is gone are harmless`() throws {
            let fixture = try SupervisionFixture(script: "exit 0")
            let process = fixture.spawn()
            _ = try fixture.waitForExit(process)
            fixture.terminate(process)
            fixture.kill(process)
            #expect(try fixture.waitForExit(fixture.spawn()).status == 0)
        }

        @Test func `stopping waits for every process and leaves nothing`() throws {
            let fixture = try SupervisionFixture(
                script: "setsid sh -c 'unset MOORING_PROCESS; exec sleep 1000' & exec sleep 1000")
            let process = fixture.spawn()
            let pid = try fixture.pid(of: process)
            fixture.terminate(process)
            fixture.supervisor.stop()
            #expect(!isAlive(pid))
            #expect(zombies() == [])
            fixture.supervisor.stop()
        }

        private func waitUntilGone(_ pid: Int32) throws {
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded, "\(pid) is still alive")
        }
    }
}
