internal import NIOCore
internal import NIOHTTP1

/// One connection's deadlines and heads, between the decoder and everything else.
///
/// Checks that need the bytes of a head are done here: further on it has one Host and a path.
final class ConnectionWatch: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let settings: AdminSettings
    private let hosts: HostPolicy
    private let table: ConnectionTable
    private var deadline: Scheduled<Void>?
    /// Requests whose responses were not written yet.
    private var unanswered = 0
    /// The last request has arrived completely.
    private var isRead = true
    private var isRefused = false
    /// The last request has a token, or none is needed.
    private var isTrusted = false
    /// Part of a head has arrived.
    private var isInHead = false

    init(settings: AdminSettings, hosts: HostPolicy, table: ConnectionTable) {
        self.settings = settings
        self.hosts = hosts
        self.table = table
    }

    func channelActive(context: ChannelHandlerContext) {
        table.enter(context.channel)
        expect(within: settings.headerSeconds, context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        table.leave(context.channel)
        context.fireChannelInactive()
    }

    /// Bytes have arrived; the first ones after a response begin a head.
    func bytesCame(_ channel: any Channel) {
        guard unanswered == 0, isRead, !isInHead else { return }
        isInHead = true
        expect(within: settings.headerSeconds, channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isRefused { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isInHead = false
            guard hosts.canAnswer(head) else { return refuse(context) }
            let fields = head.headers["authorization"]
            isTrusted = settings.access.right(of: fields) != .nothing
            isRead = false
            unanswered += 1
            expect(within: settings.exchangeSeconds, context.channel)
        case .body: break
        case .end:
            isRead = true
            table.trust(context.channel, isTrusted)
            settle(context.channel)
        }
        context.fireChannelRead(data)
    }

    func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        guard case .end = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        let written = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        // Not before the client has read it.
        written.futureResult.whenSuccess {
            // The response to an invalid head belongs to no request.
            guard watch.value.unanswered > 0 else { return }
            watch.value.unanswered -= 1
            watch.value.settle(channel)
        }
        context.write(data, promise: written)
    }

    /// After a request has arrived completely, or was answered.
    private func settle(_ channel: any Channel) {
        guard isRead, !isRefused else { return }
        table.change(channel, isAsking: unanswered > 0)
        guard unanswered == 0 else { return }
        expect(within: settings.idleSeconds, channel)
    }

    private func expect(within seconds: Int64, _ channel: any Channel) {
        deadline?.cancel()
        deadline = channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
            channel.close(promise: nil)
        }
    }

    /// Sends 400 and closes the connection; if other responses are pending, only closes.
    private func refuse(_ context: ChannelHandlerContext) {
        isRefused = true
        let channel = context.channel
        guard unanswered == 0 else { return channel.close(promise: nil) }
        let body = """
            {"detail":"Send one Host field, and the path alone as the target.","status":400,\
            "title":"Bad Request","type":"about:blank"}
            """
        let fields: HTTPHeaders = [
            "Content-Type": "application/problem+json", "Content-Length": "\(body.utf8.count)",
            "Cache-Control": "no-store", "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .badRequest, headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}

/// Notifies a connection's watch of arriving bytes, which the decoder does not report.
final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let watch: ConnectionWatch

    init(_ watch: ConnectionWatch) { self.watch = watch }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.bytesCame(context.channel)
        context.fireChannelRead(data)
    }
}
