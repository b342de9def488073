internal import Backends
internal import CLinux
internal import Glibc
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// A foreign process: the leader of a session, and not this program's child.
private final class Bystander {
    let pid: Int32

    init() throws {
        // Its parent ends at once; setsid(1) keeps the pid, since it leads no group before.
        guard
            let pipe = unsafe popen("setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!", "re")
        else { throw SpawnFailure(errno: errno, step: "popen") }
        defer { unsafe pclose(pipe) }
        var line = [CChar](repeating: 0, count: 32)
        _ = unsafe fgets(&line, 32, pipe)
        let digits = line.map { UInt8(bitPattern: $0) }.prefix { $0 > 0x20 }
        pid = try #require(Int32(String(decoding: digits, as: UTF8.self)))
        let leader = pid
        let isLeader = waitUntil { getsid(leader) == leader }
        #expect(isLeader)
    }

    deinit { kill(pid, SIGKILL) }
}

/// Records that are not true: a re-used pid, a state directory from elsewhere.
extension SupervisorTests {
    @Suite struct Forged {
        let test = TemporaryFolder()

        /// A forged record of a ready process, which belongs to another program; `change` edits it.
        private func record(
            of pid: Int32, _ change: (inout ProcessRecord) -> Void = { _ in }
        ) throws -> ProcessRecord {
            var record = ProcessRecordTests.record
            record.boot = try #require(ProcessIdentity.currentBoot())
            record.process = ProcessInstance(
                pid: pid, startTime: try #require(ProcessIdentity.startTime(of: pid)))
            record.balancer = ProcessInstance(pid: 4_000_000, startTime: 1)
            record.runtimeDirectory = "\(test.path)/run"
            record.group = "group0"
            record.user = getuid()
            record.sessions = RememberedSessions()
            record.isLeft = false
            record.address = .unix(path: "\(test.path)/run/\(record.label).sock")
            change(&record)
            return record
        }

        /// Starts and stops a balancer that finds the record.
        private func runBalancer(over record: ProcessRecord) throws -> [Fact] {
            let directory = try StateDirectory(preparing: "\(test.path)/state")
            try directory.write(record)
            let fixture = try SupervisionFixture(listener, in: test, keepsRecords: true)
            fixture.supervisor.killAll()
            fixture.supervisor.stop()
            return fixture.facts.all
        }

        @Test func `a true record of a process without a group has it stopped`() throws {
            let bystander = try Bystander()
            _ = try runBalancer(over: try record(of: bystander.pid))
            let hasEnded = Pidfd(of: bystander.pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded, "the tests below would pass without looking at anything")
            #expect(test.records == [])
        }

        @Test func `a process that has got the pid of a dead one is not signalled`() throws {
            let bystander = try Bystander()
            let forged = try record(of: bystander.pid) { $0.process.startTime -= 1 }
            let facts = try runBalancer(over: forged)
            #expect(isRunning(bystander.pid))
            #expect(facts.allSatisfy { !$0.isAdoption })
            #expect(test.records == [], "the dead one's record is removed")
        }

        @Test func `a record of another boot names no process`() throws {
            let bystander = try Bystander()
            let forged = try record(of: bystander.pid) { $0.boot.bootID = "another" }
            let facts = try runBalancer(over: forged)
            #expect(isRunning(bystander.pid))
            #expect(facts.allSatisfy { !$0.isAdoption })
            #expect(test.records == [])
        }

        @Test func `a record of another container names no process`() throws {
            let bystander = try Bystander()
            let forged = try record(of: bystander.pid) { $0.boot.pidNamespace += 1 }
            _ = try runBalancer(over: forged)
            #expect(isRunning(bystander.pid))
        }

        @Test func `a process that leads no session is none of ours`() throws {
            let facts = try runBalancer(over: try record(of: getppid()))
            #expect(facts.allSatisfy { !$0.isAdoption })
            #expect(isRunning(getppid()))
        }

        @Test func `what another living balancer looks after is left alone`() throws {
            let bystander = try Bystander()
            let forged = try record(of: bystander.pid) { record in
                record.runtimeDirectory = "/run/another"
                record.balancer = ProcessIdentity.ofThisProgram()
            }
            _ = try runBalancer(over: forged)
            #expect(isRunning(bystander.pid))
            #expect(test.records == [forged.label])
        }

        @Test func `what a dead balancer of another runtime directory left is stopped`() throws {
            let bystander = try Bystander()
            let forged = try record(of: bystander.pid) { record in
                record.runtimeDirectory = "/run/another"
            }
            _ = try runBalancer(over: forged)
            let hasEnded = Pidfd(of: bystander.pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
        }

        @Test func `a file that is not a record is logged and left where it is`() throws {
            _ = try StateDirectory(preparing: "\(test.path)/state")
            _ = test.file("state/processes/abcdefgh", "mooring-process 1\npid 1\nend\n")
            let fixture = try SupervisionFixture(listener, in: test, keepsRecords: true)
            #expect(
                fixture.facts.all.contains { fact in
                    if case .logged(let line, .warning) = fact {
                        line.contains("abcdefgh")
                    } else {
                        false
                    }
                })
            #expect(test.records == ["abcdefgh"])
        }

        /// Not a zombie: signal 0 reaches those too.
        private func isRunning(_ pid: Int32) -> Bool {
            var entry = pollfd(fd: mooring_pidfd_open(pid), events: Int16(POLLIN), revents: 0)
            defer { close(entry.fd) }
            // Nothing is waited for: the balancer has stopped, and signals are delivered at once.
            if entry.fd < 0 { return false }
            return unsafe poll(&entry, 1, 200) == 0
        }
    }
}
