internal import Reactor
internal import Synchronization
internal import Testing

@Suite struct LoopTests {
    @Test func `a message from another thread wakes the loop and arrives in order`() throws {
        let loop = try EventLoop()
        let mailbox = Mailbox<Int>(waker: loop.waker)
        try LoopThread.start(name: "writer") { for number in 0..<100 { mailbox.post(number) } }
        var got: [Int] = []
        var batch: [Int] = []
        while got.count < 100 {
            loop.turn(until: loop.now + 5_000_000_000) { token, _ in
                #expect(token == EventLoop.wakeToken)
            }
            mailbox.drain(into: &batch)
            if batch.isEmpty { break }
            got += batch
        }
        #expect(got == Array(0..<100))
    }

    @Test func `a turn ends at its deadline when nothing happens`() throws {
        let loop = try EventLoop()
        let deadline = Clock.monotonic() + 5_000_000
        loop.turn(until: deadline) { _, _ in Issue.record("nothing was registered") }
        #expect(loop.now >= deadline)
    }

    @Test func `bytes go through a unix socket and the end of the stream is reported`() throws {
        let path = "/tmp/mooring-reactor-\(Clock.monotonic()).sock"
        let listener = try ListeningSocket(.unix(path))
        defer { listener.close() }
        let (client, _) = try SocketAddress.unix(path).connect()
        guard case .connection(let server, _) = listener.accept() else {
            Issue.record("no connection")
            return
        }
        var pool = BlockPool(blockSize: 64, keep: 4)
        var block = Block.none
        pool.equip(&block)
        unsafe block.writable[0] = 42
        block.commit(1)
        #expect(client.send(from: &block) == .moved(1))
        client.close()
        block.rewind()
        #expect(server.receive(into: &block) == .moved(1))
        #expect(server.receive(into: &block) == .end)
        server.close()
        pool.release(&block)
        #expect(pool.inUse == 0)
    }

    @Test func `a living unix socket is not taken over and a dead one is replaced`() throws {
        let path = "/tmp/mooring-stale-\(Clock.monotonic()).sock"
        let living = try ListeningSocket(.unix(path))
        #expect(throws: SystemError.self) { try ListeningSocket(.unix(path)) }
        StreamSocket(descriptor: living.descriptor).close()
        let second = try ListeningSocket(.unix(path))
        second.close()
    }
}
