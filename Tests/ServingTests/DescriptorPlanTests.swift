internal import Settings
internal import Testing

@testable internal import Serving

@Suite struct DescriptorPlanTests {
    @Test func `what is asked for is given where there is room`() {
        let plan = DescriptorPlan(limit: 65_536, connections: 10_000, processes: 4, slots: 40)
        #expect(plan.connections == 10_000)
        #expect(!plan.isLowered)
        #expect(!plan.isScarce)
        #expect(plan.note == "")
    }

    @Test func `where there is little room connections are fewer and the start line shows it`() {
        let plan = DescriptorPlan(limit: 1024, connections: 10_000, processes: 4, slots: 40)
        #expect(plan.isLowered)
        #expect(plan.connections < 1024)
        #expect(plan.note.contains("at most \(plan.connections) connections"))
        #expect(plan.note.contains("1024"))
    }

    @Test(arguments: [256, 512, 1024, 4096, 65_536], [1, 8, 1000])
    func `the shares are never more than the limit`(_ limit: Int, _ processes: Int) {
        for connections in [1, 100, 10_000, 1_000_000] {
            for slots in [1, 100, 100_000] {
                let plan = DescriptorPlan(
                    limit: limit, connections: connections, processes: processes, slots: slots)
                #expect(plan.connections >= 1 && plan.connections <= connections)
                #expect(plan.upstreams >= min(slots, 16))
                #expect(plan.connections + plan.upstreams <= limit - 96)
            }
        }
    }
}
