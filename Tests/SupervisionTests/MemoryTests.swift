internal import Backends
internal import Glibc
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    @Suite struct Memory {
        @Test func `a process that outgrows its limit is recycled once, with its children's share`()
            throws
        {
            // Each of the two holds half of what is too much.
            let grower = """
                import os, socket, signal
                if os.fork() == 0:
                    held = b"x" * (60 << 20)
                    signal.pause()
                """
            let fixture = try SupervisionFixture(
                ["python3", "-c", grower + "\nheld = b'x' * (60 << 20)\n" + listener[2]], listener
            ) { $0.maxMemory = 100 << 20 }
            let small = fixture.spawn(group: 1)
            try fixture.waitUntilReady(small)
            let large = fixture.spawn(group: 0)
            try fixture.wait(for: .recycled(large, .maxMemory))
            // Looked at together with the large one.
            #expect(!fixture.facts.all.contains(.recycled(small, .maxMemory)))
            // The next look finds another one, and tells nothing new of the first.
            let next = fixture.spawn(group: 0)
            try fixture.wait(for: .recycled(next, .maxMemory))
            #expect(fixture.facts.all.count { $0 == .recycled(large, .maxMemory) } == 1)
        }

        @Test func `what processes share is not charged to each`() throws {
            let fixture = try SupervisionFixture([
                "python3", "-c",
                """
                import os, signal
                held = bytearray(80 << 20)
                for i in range(0, len(held), 4096): held[i] = 1
                if os.fork() == 0:
                    print("forked", os.getpid(), flush=True)
                signal.pause()
                """,
            ])
            let process = fixture.spawn()
            let child = try #require(Int32(fixture.waitForLine("forked ")))
            let pids = [try fixture.pid(of: process), child]
            let resident = pids.compactMap(MemoryUse.residentBytes).reduce(0, +)
            #expect(resident > 160 << 20)
            #expect(MemoryUse.above(120 << 20, pids: pids) == nil)
            let bytes = try #require(MemoryUse.above(60 << 20, pids: pids))
            #expect(bytes < 120 << 20)
        }
    }
}

@Suite struct MemoryUseTests {
    @Test func `the proportional size stands in a line of its own`() {
        let rollup = "00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss: 900 kB\nPss:   641 kB\n"
        #expect(MemoryUse.proportionalBytes(rollup: rollup) == 656_384)
    }

    @Test(arguments: ["", "Pss:\n", "Pss: x kB\n", "Pss: 9223372036854775807 kB\n", "Pss: 1 MB\n"])
    func `what cannot be understood is no size`(rollup: String) {
        #expect(MemoryUse.proportionalBytes(rollup: rollup) == nil)
    }

    @Test func `processes that are gone use nothing`() {
        #expect(MemoryUse.above(0, pids: [Int32.max]) == nil)
    }
}
