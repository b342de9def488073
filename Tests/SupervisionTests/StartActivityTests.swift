internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Which starts only sleep.
@Suite struct StartActivityTests {
    private let second: Int64 = 1_000_000_000
    private let millisecond: Int64 = 1_000_000

    /// What is reported about one process after each of some readings, a second apart.
    private func told(_ milliseconds: Int64?...) -> [Bool?] {
        var activity = StartActivity()
        var now: Int64 = 0
        return milliseconds.map { reading in
            now += second
            let times = reading.map { [7 as UInt64: $0 * millisecond] } ?? [:]
            return activity.take(times, spent: 0, now: now).first?.sleeps
        }
    }

    @Test func `a start that uses next to nothing for a second sleeps`() {
        #expect(told(300, 310) == [nil, true])
        #expect(told(300, 350) == [nil, nil])
    }

    @Test func `what is known is not reported again`() {
        #expect(told(0, 0, 0, 0) == [nil, true, nil, nil])
    }

    @Test func `one that works again is reported, and an unmeasurable one counts as working`() {
        #expect(told(0, 0, 500, 500) == [nil, true, false, true])
        #expect(told(0, 0, nil) == [nil, true, false])
    }

    @Test func `time that vanished with a member is work`() {
        #expect(told(500, 500, 100, 100) == [nil, true, false, true])
    }

    @Test func `the first look comes a second after the first start, and none sooner than that`() {
        var activity = StartActivity()
        activity.begin(now: 5 * second)
        #expect(activity.measureAt == 6 * second)
        activity.begin(now: 5 * second + 1)
        #expect(activity.measureAt == 6 * second)
        _ = activity.take([:], spent: 0, now: 6 * second)
        #expect(activity.measureAt == 7 * second)
    }

    @Test func `looks that take long come less often`() {
        var activity = StartActivity()
        _ = activity.take([:], spent: 100 * millisecond, now: 0)
        #expect(activity.measureAt == 5 * second)
    }
}

extension SupervisorTests {
    @Suite struct SleepingStarts {
        @Test func `a start that sleeps is reported, and again when it works`() throws {
            let fixture = try SupervisionFixture(
                script: "read line <fifo; while :; do :; done")
            let fifo = "\(fixture.directory.path)/fifo"
            #expect(unsafe mkfifo(fifo, 0o600) == 0)
            let handle = fixture.spawn()
            try fixture.wait(for: .slept(handle, true))
            let descriptor = unsafe open(fifo, O_WRONLY)
            #expect(unsafe write(descriptor, "x\n", 2) == 2)
            try fixture.wait(for: .slept(handle, false))
            close(descriptor)
        }

        @Test func `a child in the same session that works is the start's work`() throws {
            let program = """
                import os
                if os.fork() == 0:
                    os.setpgid(0, 0)
                    while True: pass
                os.wait()
                """
            let fixture = try SupervisionFixture(["python3", "-c", program], ["sleep", "1000"])
            let working = fixture.spawn(group: 0)
            // A process measured later was started later.
            for _ in 0..<2 {
                let sleeper = fixture.spawn(group: 1)
                try fixture.wait(for: .slept(sleeper, true))
            }
            #expect(!fixture.facts.all.contains(.slept(working, true)))
        }
    }
}
