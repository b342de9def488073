internal import Backends
internal import Glibc
internal import Logging
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Balancers that are killed, each in a program of its own.
extension SupervisorTests {
    @Suite struct Killed {
        /// Shared with the programs that are killed.
        let test = TemporaryFolder()

        /// A number that one of those wrote.
        private func number(_ name: String) throws -> Int32 {
            let text = try #require(ProcFile.text("\(test.path)/\(name)"))
            return try #require(Int32(text.split(separator: "\n").first ?? ""))
        }

        @Test func `fifty balancers killed one after the other lose no process`() async throws {
            let path = test.path
            for round in 0..<50 {
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [path = path as String, round = round as Int] in
                    let fixture = try SupervisionFixture(
                        Adopting.printer, in: TemporaryFolder(borrowing: path), keepsRecords: true)
                    let pid: Int32
                    if round == 0 {
                        let process = fixture.spawn()
                        try fixture.waitUntilReady(process)
                        pid = try fixture.pid(of: process)
                    } else {
                        pid = try fixture.adopted().1.pid
                    }
                    _ = try fixture.waitForLine("line ")
                    _ = try fixture.waitForLine("error ")
                    _ = fixture.directory.file("pid.\(round)", "\(pid)\n")
                    kill(getpid(), SIGKILL)
                }
                #expect(try number("pid.\(round)") == (try number("pid.0")))
            }
            let last = try SupervisionFixture(Adopting.printer, in: test, keepsRecords: true)
            let (handle, adopted) = try last.adopted()
            #expect(adopted.pid == (try number("pid.0")))
            last.terminate(handle)
            let report = try last.waitForExit(handle)
            #expect(report.reason.hasPrefix("ended"))
            #expect(report.status == nil && report.signal == nil)
            #expect(!report.output.isEmpty)
            last.supervisor.stop()
            #expect(test.records == [])
            #expect(zombies() == [])
        }

        /// A leader that does not end on SIGTERM, with a child of its own; both tell their pids.
        private static let stubborn = """
            trap '' TERM
            sleep 1000 &
            echo $! > child
            echo $$ > leader
            echo written
            while :; do sleep 1000; done
            """

        @Test func `with on_exit = "kill" nothing is left a second after the balancer is killed`()
            async throws
        {
            let path = test.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let fixture = try SupervisionFixture(
                    ["sh", "-c", Self.stubborn], in: TemporaryFolder(borrowing: path),
                    keepsRecords: true
                ) { $0.onExit = .kill }
                fixture.spawn()
                _ = try fixture.waitForLine("written")
                kill(getpid(), SIGKILL)
            }
            for name in ["leader", "child"] {
                let hasEnded = Pidfd(of: try number(name)).waitForEnd(milliseconds: 1000)
                #expect(hasEnded, "the \(name) is still alive")
            }
        }

        @Test func `when the guardian is killed another one takes over`() async throws {
            let path = test.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let fixture = try SupervisionFixture(
                    ["sh", "-c", Self.stubborn], in: TemporaryFolder(borrowing: path),
                    keepsRecords: true
                ) { $0.onExit = .kill }
                fixture.spawn()
                _ = try fixture.waitForLine("written")
                kill(try waitForGuardian(), SIGKILL)
                _ = try fixture.waitForLine("the guardian of processes")
                kill(getpid(), SIGKILL)
            }
            for name in ["leader", "child"] {
                let hasEnded = Pidfd(of: try number(name)).waitForEnd(milliseconds: 1000)
                #expect(hasEnded, "the \(name) is still alive")
            }
        }

        @Test func `a planned change of balancers keeps processes with on_exit = "kill"`() throws {
            let first = try SupervisionFixture(listener, in: test, keepsRecords: true) {
                $0.onExit = .kill
            }
            let process = first.spawn()
            try first.waitUntilReady(process)
            let pid = try first.pid(of: process)
            _ = try waitForGuardian()
            first.supervisor.leave()
            first.supervisor.stop()
            #expect(guardians() == [])
            let second = try SupervisionFixture(listener, in: test, keepsRecords: true) {
                $0.onExit = .kill
            }
            #expect(try second.adopted().1.pid == pid)
            _ = try waitForGuardian()
        }

        @Test
        func `a process that was being started when its balancer was killed is not left over`()
            throws
        {
            let first = try SupervisionFixture(listener, in: test, keepsRecords: true)
            let process = first.spawn()
            try first.waitUntilReady(process)
            let (pid, label) = (try first.pid(of: process), try first.label(of: process))
            first.supervisor.leave()
            first.supervisor.stop()
            // As it stood a moment before the pid was known.
            let directory = try StateDirectory(preparing: "\(test.path)/state")
            var record = try directory.read(label)
            record.stage = .intended
            record.process = .none
            try directory.write(record)
            let second = try SupervisionFixture(listener, in: test, keepsRecords: true)
            let hasEnded = Pidfd(of: pid).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
            second.supervisor.stop()
            #expect(test.records == [])
        }

        @Test func `without a state directory that can be written processes are served`() throws {
            let fixture = try SupervisionFixture(listener, in: test, keepsRecords: true)
            let folder = "\(test.path)/state/processes"
            unsafe rename(folder, "\(folder).away")
            let first = fixture.spawn()
            try fixture.waitUntilReady(first)
            try fixture.waitUntilReady(fixture.spawn())
            unsafe rename("\(folder).away", folder)
            // Tried again by itself.
            _ = try fixture.waitForLine("the state directory can be written again")
            #expect(test.records.count == 2)
            let complaints = fixture.facts.all.count { fact in
                if case .logged(let line, .error) = fact { line.contains("written") } else { false }
            }
            #expect(complaints == 1)
        }
    }
}

/// The pid of this program's guardian, as soon as that has given itself its name.
func waitForGuardian() throws -> Int32 {
    #expect(waitUntil { !guardians().isEmpty })
    return try #require(guardians().first)
}

/// The guardians among this program's children.
func guardians() -> [Int32] {
    ProcFile.entries("/proc").compactMap { name in
        guard let pid = Int32(name), let stat = ProcFile.text("/proc/\(pid)/stat"),
            stat.contains("(moor-guard)"), let end = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[end...].split(separator: " ")
        return fields[1] != "Z" && fields[2] == "\(getpid())" ? pid : nil
    }
}
