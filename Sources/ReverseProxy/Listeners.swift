internal import Backends
internal import Reactor
internal import Settings

/// The listening sockets by index: a socket stays while its address is configured.
struct Listeners: Sendable {
    private(set) var addresses: [ListenerAddress?] = []
    private(set) var sockets: [ListeningSocket?] = []
    private var inherited: [ListenerAddress: ListeningSocket]

    init(inherited: [ListenerAddress: ListeningSocket]) { self.inherited = inherited }

    /// Binds new addresses and drops removed ones, whose sockets the loop closes.
    ///
    /// - Throws: `ProxyError`; nothing has changed then.
    mutating func replace(with wanted: [ListenerSettings?]) throws(ProxyError) -> [ListeningSocket?]
    {
        var bound: [ListeningSocket] = []
        var next: [ListeningSocket?] = []
        for (index, listener) in wanted.enumerated() {
            guard let listener else {
                next.append(nil)
                continue
            }
            if index < addresses.count, addresses[index] == listener.address,
                let socket = sockets[index]
            {
                next.append(socket)
                continue
            }
            do {
                let socket = try socket(for: listener)
                if inherited[listener.address] == nil { bound.append(socket) }
                next.append(socket)
            } catch {
                for socket in bound { socket.close() }
                throw error
            }
        }
        for case let listener? in wanted { inherited[listener.address] = nil }
        addresses = wanted.map { $0?.address }
        sockets = next
        return next
    }

    /// After a failed start: closes what was bound.
    func closeAll() {
        for case let socket? in sockets { socket.close() }
    }

    private func socket(for listener: ListenerSettings) throws(ProxyError) -> ListeningSocket {
        if let socket = inherited[listener.address] { return socket }
        do {
            switch listener.address {
            case .address(.unix(let path)): return try ListeningSocket(.unix(path))
            case .address(.tcp(let host, let port)): return try ListeningSocket(.tcp(host, port))
            case .inherited(let name):
                throw ProxyError(
                    """
                    cannot listen on \(listener.text): no socket of the name \(name) was passed; \
                    set FileDescriptorName=\(name) in the socket unit
                    """)
            }
        } catch let error as SystemError {
            throw ProxyError(listeningOn: listener.text, because: error)
        } catch let error as ProxyError {
            throw error
        } catch {
            throw ProxyError("cannot listen on \(listener.text): \(error)")
        }
    }
}
