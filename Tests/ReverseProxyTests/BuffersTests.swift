internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct BuffersTests {
    /// One whole block is half of the budget.
    private static func buffers(budget: (_ block: Int) -> Int = { 2 * $0 }) throws -> Buffers {
        let keyring = Keyring(firstKey: [UInt8](repeating: 1, count: 32))
        var settings = ProxySettings(
            listeners: [], routes: RouteTable([]), routeSettings: [], groups: [], keyring: keyring)
        settings.bufferMemory = budget(settings.blockSize)
        settings.limits.responseBuffer = 1 << 20
        settings.limits.requestBuffer = 1 << 20
        let share = WorkerShare(
            name: "proxy-0", mailbox: Mailbox(waker: try EventLoop().waker))
        return Buffers(settings, shares: [share], index: 0)
    }

    @Test func `below half of the budget everybody may wait with what the settings allow`() throws {
        let buffers = try Self.buffers()
        #expect(buffers.pressure == .none)
        #expect(buffers.responseAllowance(streams: 1) == 1 << 20)
        #expect(buffers.requestAllowance == 1 << 20)
    }

    @Test func `from half of the budget on each connection has the same little`() throws {
        let buffers = try Self.buffers()
        var block = Block.none
        buffers.equip(&block)
        #expect(buffers.pressure == .half)
        #expect(buffers.responseAllowance(streams: 1) == 16 * 1024)
        #expect(buffers.responseAllowance(streams: 4) == 4 * 1024)
        #expect(buffers.responseAllowance(streams: 100) == 2 * 1024)
        #expect(buffers.requestAllowance == 16 * 1024)
        buffers.release(&block)
        #expect(buffers.pressure == .none)
    }

    @Test func `above the budget nothing more waits for a client that is behind`() throws {
        let buffers = try Self.buffers(budget: { $0 })
        var block = Block.none
        buffers.equip(&block)
        #expect(buffers.pressure == .full)
        #expect(buffers.responseAllowance(streams: 1) == 0)
        #expect(buffers.requestAllowance == 1)
        #expect(buffers.settle(now: 1) != nil, "the operator hears of it")
        buffers.release(&block)
    }

    @Test func `a process is read into less memory where memory is short`() throws {
        let buffers = try Self.buffers()
        var first = Block.none
        buffers.equipForProcess(&first, isForStream: false)
        let whole = first.capacity
        var second = Block.none
        buffers.equipForProcess(&second, isForStream: false)
        #expect(second.capacity < whole)
        buffers.release(&first)
        buffers.release(&second)
        #expect(buffers.blocksInUse == 0)
    }

    @Test func `a chain gives back all its blocks`() throws {
        let buffers = try Self.buffers()
        var chain = BlockChain()
        #expect(buffers.extend(&chain))
        #expect(buffers.extend(&chain))
        #expect(buffers.blocksInUse == 2)
        buffers.release(&chain)
        #expect(buffers.blocksInUse == 0)
    }
}
