internal import Testing

@testable internal import Supervision

@Suite struct LaunchTableTests {
    private func launch(_ name: String) -> LaunchSpec {
        LaunchSpec(
            command: [name], directory: "/", environment: [:], threads: 1, multiprocess: false,
            groupName: "group")
    }

    @Test func `a generation without a launch of its own has the newest one's before it`() {
        var table = LaunchTable([launch("first"), nil])
        table.set(launch("seventh"), group: 0, generation: 7)
        table.set(launch("third"), group: 0, generation: 3)
        let names = [1, 2, 3, 6, 7, 20].map { table.launch(group: 0, generation: $0)?.command }
        #expect(
            names == [["first"], ["first"], ["third"], ["third"], ["seventh"], ["seventh"]])
        #expect(table.newest(group: 0) == launch("seventh"))
    }

    @Test func `the launch of a generation is replaced`() {
        var table = LaunchTable([launch("first")])
        table.set(launch("second"), group: 0, generation: 2)
        table.set(launch("corrected"), group: 0, generation: 2)
        #expect(table.launch(group: 0, generation: 2) == launch("corrected"))
    }

    @Test func `external groups have none, and new groups come behind the last`() {
        var table = LaunchTable([nil, launch("old")])
        table.set(launch("nothing"), group: 0, generation: 1)
        table.grow(to: [launch("ignored"), launch("ignored"), launch("new"), nil])
        #expect(table.count == 4)
        #expect(table.newest(group: 0) == nil && table.newest(group: 3) == nil)
        #expect(table.newest(group: 1) == launch("old"))
        #expect(table.newest(group: 2) == launch("new"))
        table.grow(to: [])
        #expect(table.count == 4)
    }
}
