internal import Backends
internal import Glibc
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Processes of a group that the next balancer has no launch for.
extension SupervisorTests {
    @Suite struct Retired {
        let directory = TemporaryFolder()

        private static var retirement: RetirementPolicy {
            var policy = GroupPolicy(name: "")
            (policy.minimum, policy.maximum, policy.sessionsPerProcess) = (1, 5, 2)
            policy.drainTimeout = .seconds(77)
            policy.stopTimeout = .milliseconds(50)
            return RetirementPolicy(policy)
        }

        private func first(
            _ command: [String] = listener, change: (inout LaunchSpec) -> Void = { _ in }
        ) throws -> (SupervisionFixture, ProcessHandle) {
            let first = try SupervisionFixture(command, in: directory, keepsRecords: true) {
                $0.retirement = Self.retirement
                $0.fingerprint = "one"
                change(&$0)
            }
            let process = first.spawn()
            try first.waitUntilReady(process)
            return (first, process)
        }

        /// One whose only group has another name.
        private func next(findsRetired: Bool = true) throws -> SupervisionFixture {
            try SupervisionFixture(
                listener, in: directory, keepsRecords: true, findsRetired: findsRetired
            ) { $0.groupName = "another" }
        }

        @Test func `it is adopted into a group that is known by the records alone`() throws {
            let (first, process) = try first()
            let pid = try first.pid(of: process)
            first.supervisor.carryOut(
                [
                    .rememberUse(process, true),
                    .rememberDraining(
                        process, .retired, until: MonotonicInstant(nanoseconds: 7_000)),
                ], group: 0)
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try next()
            let policy = Self.retirement.policy(named: "group0")
            #expect(next.retired.map(\.policy) == [policy] && next.retired[0].fingerprint == "one")
            let (_, adopted) = try next.adopted()
            #expect(adopted.pid == pid && isAlive(pid) && !adopted.isStale)
            #expect(adopted.wasDraining && adopted.wasRetired && adopted.hadSessions == true)
            #expect(adopted.drainUntil == MonotonicInstant(nanoseconds: 7_000))
        }

        @Test func `the balancer after the next knows as much of it`() throws {
            let (first, process) = try first()
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let second = try next()
            _ = try second.adopted()
            second.supervisor.leave()
            second.supervisor.stop()
            let third = try next()
            #expect(third.retired == second.retired && third.retired.count == 1)
            #expect(try third.adopted().1.pid == pid)
            #expect(try third.adopted().1.hadSessions == false)
        }

        @Test func `a group that the configuration has is not looked for`() throws {
            let (first, _) = try first()
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try SupervisionFixture(
                listener, in: directory, keepsRecords: true, findsRetired: true)
            #expect(next.retired.isEmpty)
            _ = try next.adopted()
        }

        @Test func `what it writes goes where its group's output went`() throws {
            let path = "\(directory.path)/out.log"
            let (first, process) = try first(Adopting.printer) { $0.outputFile = path }
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try next()
            _ = try next.adopted()
            unsafe unlink(path)
            next.supervisor.reopenOutput()
            #expect(waitUntil { ProcFile.text(path)?.contains("line ") ?? false })
            #expect(isAlive(pid))
        }

        @Test func `on_exit is its record's, where its balancer was killed and where it left`()
            throws
        {
            let (first, process) = try first { $0.onExit = .kill }
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try next()
            _ = try next.adopted()
            let record = try #require(try records().first)
            #expect(record.onExit == .kill && !record.isLeft && isAlive(pid))
            // As after kill -9.
            next.supervisor.leave()
            next.supervisor.stop()
            try change { $0.isLeft = false }
            let last = try self.next()
            #expect(last.facts.all.allSatisfy { !$0.isAdoption })
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
        }

        @Test func `the dead, and those of another balancer that lives, make no group`() throws {
            let (first, process) = try first()
            let pid = try first.pid(of: process)
            try change {
                $0.runtimeDirectory = "/run/another"
                $0.balancer = ProcessIdentity.ofThisProgram()
            }
            #expect(first.supervisor.retiredGroups().isEmpty)
            let other = try Supervisor(
                runtimeDirectory: "\(directory.path)/run",
                stateDirectory: "\(directory.path)/state", launches: [],
                log: .init(label: "test") { _ in FactLogHandler(facts: FactLog()) },
                onSignal: { _ in })
            #expect(other.retiredGroups().isEmpty)
            try change { $0.runtimeDirectory = "\(directory.path)/run" }
            #expect(other.retiredGroups().map(\.policy.name) == ["group0"])
            #expect(other.retiredGroups(besides: ["group0"]).isEmpty)
            try change { $0.process.startTime += 1 }
            #expect(other.retiredGroups().isEmpty && isAlive(pid))
        }

        @Test func `with a launch again it is watched as its group is`() throws {
            let (first, process) = try first()
            let label = try first.label(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try next()
            _ = try next.adopted()
            var launch = LaunchSpec(
                command: listener, directory: directory.path, environment: [:], threads: 1,
                multiprocess: false, groupName: "group0")
            launch.fingerprint = "one"
            launch.maxMemory = 1
            var policy = GroupPolicy(name: "")
            policy.drainTimeout = .seconds(5)
            launch.retirement = RetirementPolicy(policy)
            next.supervisor.setLaunch(launch, group: 1, generation: 1)
            // Every process uses more than a byte.
            try next.facts.wait("recycled") { facts in
                facts.contains {
                    if case .recycled(_, .maxMemory) = $0 { true } else { false }
                } ? () : nil
            }
            let record = try #require(try records().first { $0.label == label })
            #expect(record.retirement == launch.retirement)
        }

        @Test func `that it has sessions is written at once, that it has none in a while`() throws {
            let (first, process) = try first()
            func isInUse() throws -> Bool? { try records().first?.hasSessions }
            #expect(try isInUse() == false)
            first.supervisor.carryOut([.rememberUse(process, true)], group: 0)
            #expect(waitUntil { (try? isInUse()) == true })
            first.supervisor.carryOut([.rememberUse(process, false)], group: 0)
            #expect(waitUntil { (try? isInUse()) == false })
        }

        @Test func `one that nobody has a group for has its group's time to end`() throws {
            let (first, process) = try first(["python3", "-c", deaf])
            let pid = try first.pid(of: process)
            first.supervisor.leave()
            first.supervisor.stop()
            let next = try next(findsRetired: false)
            #expect(next.facts.all.allSatisfy { !$0.isAdoption })
            // Long before the ten seconds that others have.
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 5_000)
            #expect(hasEnded)
        }

        /// Takes no notice of SIGTERM.
        private var deaf: String {
            """
            import os, signal, socket
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            s = socket.socket(socket.AF_UNIX)
            s.bind(os.environ["MOORING_SOCKET"])
            s.listen()
            while True: signal.pause()
            """
        }

        private func records() throws -> [ProcessRecord] {
            let state = try StateDirectory(preparing: "\(directory.path)/state")
            return state.labels().compactMap { try? state.read($0) }
        }

        private func change(_ change: (inout ProcessRecord) -> Void) throws {
            let state = try StateDirectory(preparing: "\(directory.path)/state")
            for var record in try records() {
                change(&record)
                try state.write(record)
            }
        }
    }
}

@Suite struct RetiredGroupTests {
    private func record(_ change: (inout ProcessRecord) -> Void) -> ProcessRecord {
        var record = ProcessRecordTests.record
        change(&record)
        return record
    }

    @Test func `the newest generation that was ready says what the group is started by`() {
        let group = RetiredGroup([
            record { ($0.generation, $0.fingerprint) = (2, "two") },
            record { ($0.generation, $0.fingerprint) = (3, "three") },
            record { ($0.generation, $0.fingerprint, $0.stage) = (4, "four", .starting) },
        ])
        #expect(group?.fingerprint == "three" && group?.name == "django admin")
    }

    @Test func `one that is known by records of long ago has the defaults, and room for all`() {
        let group = RetiredGroup([
            record { ($0.retirement, $0.sessions) = (nil, RememberedSessions()) },
            record { ($0.retirement, $0.sessions) = (nil, RememberedSessions()) },
        ])
        #expect(group?.policy.maximum == 2 && group?.policy.sessionsPerProcess == 0)
        #expect(group?.policy.drainTimeout == .seconds(3600))
        #expect(RetiredGroup([]) == nil)
    }
}
