internal import Testing

@testable internal import ReverseProxy

@Suite struct SlabTests {
    @Test func `a entry is addressed until it is emptied`() {
        var slab = Slab<Int>(capacity: 4)
        let entry = insert(7, into: &slab)
        slab[entry] += 1
        #expect(slab[entry] == 8)
        #expect(slab.count == 1)
    }

    @Test func `a later tenant of a entry is not taken for the former`() {
        var slab = Slab<Int>(capacity: 1)
        let first = insert(1, into: &slab)
        let serial = slab.serial(first)
        slab.remove(first)
        #expect(slab.holds(first, serial: serial) == false)
        let second = insert(2, into: &slab)
        #expect(first == second)
        #expect(slab.holds(first, serial: serial) == false)
        #expect(slab.holds(second, serial: slab.serial(second)) == true)
    }

    @Test func `a full slab takes no more until a entry is emptied`() {
        var slab = Slab<Int>(capacity: 2)
        let first = insert(1, into: &slab)
        _ = slab.insert(2)
        let refused = slab.insert(3)
        #expect(refused == nil)
        slab.remove(first)
        let taken = slab.insert(4)
        #expect(taken != nil)
    }

    @Test func `a entry that was never taken is not held by serial zero`() {
        let slab = Slab<Int>(capacity: 2)
        #expect(slab.holds(0, serial: 0) == false)
        #expect(slab.isTaken(1) == false)
    }

    #if DEBUG
        @Test func `in debug builds an emptied entry traps when it is read`() async {
            await #expect(processExitsWith: .failure) {
                var slab = Slab<Int>(capacity: 2)
                guard let entry = slab.insert(7) else { return }
                slab.remove(entry)
                _ = slab[entry]
            }
        }
    #endif

    private func insert(_ value: Int, into slab: inout Slab<Int>) -> Int {
        guard let entry = slab.insert(value) else {
            Issue.record("the slab has room")
            return 0
        }
        return entry
    }
}
