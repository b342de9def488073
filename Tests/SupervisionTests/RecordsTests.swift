internal import Glibc
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import Supervision

@Suite struct RecordsTests {
    private let folder = TemporaryFolder()
    private let facts = FactLog()

    private var log: Logger { Logger(label: "test") { [facts] _ in FactLogHandler(facts: facts) } }

    /// What was logged, at or above a level.
    private func logged(_ level: Logger.Level) -> Int {
        facts.all.count { if case .logged(_, let at) = $0 { at >= level } else { false } }
    }

    @Test func `what has been put off is due at its time and until it is written`() throws {
        var records = Records(try StateDirectory(preparing: folder.path))
        records.wait(3, until: 100)
        records.wait(4, until: 50)
        #expect(records.writeAt == 50)
        #expect(records.takeDue(now: 49) == [])
        #expect(records.takeDue(now: 50) == [3, 4])
        #expect(records.writeAt == nil)
        records.write(ProcessRecordTests.record, of: 3, now: 50, log: log)
        records.wait(4, until: 60)
        #expect(records.takeDue(now: 60) == [4])
        records.forget(4)
        records.wait(5, until: 70)
        #expect(records.takeDue(now: 70) == [5])
    }

    @Test func `a failure is logged once, retried, and its end is logged`() throws {
        let state = "\(folder.path)/state"
        var records = Records(try StateDirectory(preparing: state))
        #expect(unsafe rename(state, "\(folder.path)/away") == 0)
        for now in [0, 1] as [Int64] {
            records.write(ProcessRecordTests.record, of: 3, now: now, log: log)
            #expect(logged(.error) == 1)
        }
        // What was not there yet is not tried again.
        records.write(ProcessRecordTests.record, of: nil, now: 1, log: log)
        let next = try #require(records.writeAt)
        #expect(records.takeDue(now: next) == [3])
        #expect(unsafe rename("\(folder.path)/away", state) == 0)
        records.write(ProcessRecordTests.record, of: 3, now: next, log: log)
        #expect(logged(.error) == 1)
        #expect(logged(.notice) == 2)
        #expect(records.takeDue(now: .max) == [])
    }

    @Test func `without a directory nothing is written or waited for`() {
        var records = Records(nil)
        records.write(ProcessRecordTests.record, of: 3, now: 0, log: log)
        #expect(records.writeAt == nil)
        #expect(facts.all.isEmpty)
    }
}
