internal import NIOCore
internal import NIOEmbedded
internal import Testing

@testable internal import AdminAPI

/// Who gives way where more connect than there are places for.
@Suite struct ConnectionTableTests {
    private let table = ConnectionTable(most: 4, reserve: 2)

    private func connect() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/s")).wait()
        table.enter(channel)
        return channel
    }

    private func open(_ channels: [EmbeddedChannel]) -> [Bool] {
        channels.map { channel in
            channel.embeddedEventLoop.run()
            return channel.isActive
        }
    }

    @Test func `the longest silent stranger gives way to a newcomer`() throws {
        let channels = try (0..<3).map { _ in try connect() }
        #expect(open(channels) == [false, true, true])
        table.change(channels[1], isAsking: false)
        let newcomer = try connect()
        #expect(open(channels + [newcomer]) == [false, true, false, true])
    }

    @Test func `strangers never take the places of those with the token`() throws {
        let trusted = try (0..<2).map { _ in
            let channel = try connect()
            table.trust(channel, true)
            table.change(channel, isAsking: false)
            return channel
        }
        for _ in 0..<20 { _ = try connect() }
        #expect(open(trusted) == [true, true])
        #expect(table.count == 4)
    }

    @Test func `who is being answered is not cut off`() throws {
        let asking = try connect()
        table.change(asking, isAsking: true)
        for _ in 0..<20 { _ = try connect() }
        #expect(open([asking]) == [true])
    }

    @Test func `where no connection is silent the oldest is closed`() throws {
        let channels = try (0..<7).map { _ in
            let channel = try connect()
            table.change(channel, isAsking: true)
            return channel
        }
        #expect(open(channels) == [false, true, true, true, true, true, true])
    }
}
