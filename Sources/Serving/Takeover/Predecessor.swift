internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Settings
internal import Supervision

/// The running balancer that `serve --takeover` replaces: the successor's side of a take-over.
///
/// `TakeoverMessage` defines the protocol.
struct Predecessor {
    private let channel: TakeoverChannel
    /// The address of its admin API, which it releases with the others.
    let admin: ListenerAddress?
    /// Its listening sockets.
    let listeners: [ListenerAddress: ListeningSocket]

    /// Asks the balancer of a runtime folder for its sockets; it continues to serve.
    ///
    /// - Throws: `ServingError`: unreachable when none runs there.
    init(runtimeFolder: String) throws {
        let path = TakeoverChannel.path(inRuntimeFolder: runtimeFolder)
        // The program that listens there receives sessions and is trusted, so it must be this
        // user's.
        if unsafe access(runtimeFolder, F_OK) == 0 {
            do {
                try Supervisor.check(runtimeDirectory: runtimeFolder)
            } catch {
                throw ServingError.failed("\(error); nothing is taken over")
            }
        }
        do {
            channel = TakeoverChannel(try ControlSocket(connectingTo: path))
        } catch {
            throw ServingError.unreachable(
                "no balancer to take over from at \(path) (\(SystemError.message(error.errno)));"
                    + " start one with mooring serve")
        }
        guard channel.isTrusted else {
            channel.close()
            throw ServingError.failed(
                "another user's program listens at \(path); nothing is taken over")
        }
        do {
            try channel.send(.greeting)
            (admin, listeners) = try Self.sockets(try channel.receive())
        } catch {
            channel.close()
            throw Self.broken(error)
        }
    }

    /// Makes it stop accepting and release its processes; blocks until it has.
    ///
    /// - Throws: `ServingError` when it does not answer; it may continue to serve then.
    func handOver() throws {
        do {
            try channel.send(.ready)
            try channel.receive(.yours)
        } catch {
            throw Self.broken(error)
        }
    }

    /// Receives its connections until it has exited; blocks for that long.
    func receiveConnections(log: Logger, _ take: (MovedConnection) -> Void) {
        defer { channel.close() }
        while true {
            do throws(SystemError) {
                Self.connections(try channel.receive()).forEach(take)
            } catch {
                switch error.errno {
                // It still finishes requests.
                case EAGAIN: continue
                case EMSGSIZE: log.warning("kept connections were lost: too few descriptors")
                case EPROTO: log.warning("the balancer before this one sent no message: \(error)")
                default: return
                }
            }
        }
    }

    /// After a failed start: closes what was received.
    func giveUp() {
        for socket in listeners.values { socket.leave() }
        channel.close()
    }

    /// - Throws: EPROTO when they are not sockets, or do not match the named ones.
    private static func sockets(
        _ received: TakeoverChannel.Received
    ) throws(SystemError) -> (ListenerAddress?, [ListenerAddress: ListeningSocket]) {
        guard case .sockets(let admin, let addresses) = received.message,
            addresses.count == received.descriptors.count
        else {
            received.drop()
            throw TakeoverChannel.unexpected(received.message.line)
        }
        var listeners: [ListenerAddress: ListeningSocket] = [:]
        for (address, descriptor) in zip(addresses, received.descriptors) {
            guard let address, let socket = try? ListeningSocket(inheriting: descriptor) else {
                close(descriptor)
                continue
            }
            listeners[address] = socket
        }
        return (admin, listeners)
    }

    /// Unknown ones are closed, as they would be by the exit of their balancer.
    private static func connections(_ received: TakeoverChannel.Received) -> [MovedConnection] {
        guard case .connections(let notes) = received.message else {
            received.drop()
            return []
        }
        return received.descriptors.enumerated().compactMap { index, descriptor in
            guard index < notes.count, let note = notes[index],
                let connection = MovedConnection(
                    socket: StreamSocket(descriptor: descriptor), listener: note.listener,
                    note: note.note, unread: note.unread)
            else {
                close(descriptor)
                return nil
            }
            return connection
        }
    }

    private static func broken(_ error: any Error) -> ServingError {
        .failed("the running balancer does not hand over (\(error)); it serves on")
    }
}
