internal import CCares
internal import Glibc

/// Looks up the addresses of names (c-ares), on sockets that the owner's loop watches; nothing waits.
///
/// For one thread. The owner registers `takeSockets`, calls `advance` for their events and at
/// `nextDeadline`, and reads `takeAnswers` after each call.
@safe
package final class NameResolver {
    /// What became of a question.
    package struct Answer: Equatable, Sendable {
        package var name: String
        /// Numeric, in the order of the answer; empty: it failed.
        package var addresses: [String]
        /// Seconds for which the addresses hold, by the name service.
        package var ttl: Int
        /// Why it failed; empty: it did not.
        package var failure: String
    }

    /// A socket to watch from now on.
    package struct WatchedSocket: Equatable, Sendable {
        package var descriptor: Int32
        package var isNew: Bool
        package var writes: Bool
    }

    /// A question under way, which the library keeps.
    private final class Question {
        let resolver: NameResolver
        let name: String

        init(_ resolver: NameResolver, _ name: String) {
            self.resolver = resolver
            self.name = name
        }
    }

    private static let timeoutMilliseconds: Int32 = 2000
    private static let tries: Int32 = 2
    /// The most addresses of one name that are used.
    private static let mostAddresses = 256

    private var channel: ares_channel?
    private var sockets: Set<Int32> = []
    private var changes: [WatchedSocket] = []
    private var answers: [Answer] = []
    private var questions = 0

    /// - Parameter servers: addresses with ports; empty: those of the system (resolv.conf(5)).
    /// - Throws: a sentence.
    package init(servers: [String]) throws(NameResolverError) {
        let sockets: ares_sock_state_cb = { data, socket, reads, writes in
            guard let data = unsafe data else { return }
            let resolver = unsafe Unmanaged<NameResolver>.fromOpaque(data).takeUnretainedValue()
            resolver.note(socket, reads: reads != 0, writes: writes != 0)
        }
        var status = unsafe mooring_ares_open(
            &channel, sockets, Unmanaged.passUnretained(self).toOpaque(), Self.timeoutMilliseconds,
            Self.tries)
        if status == ARES_SUCCESS, !servers.isEmpty {
            status = unsafe ares_set_servers_ports_csv(channel, servers.joined(separator: ","))
        }
        if status != ARES_SUCCESS {
            throw NameResolverError(sentence: unsafe String(cString: ares_strerror(status)))
        }
    }

    /// Gives up all questions; call it once, at the end.
    package func close() {
        unsafe ares_destroy(channel)
        unsafe channel = nil
        answers = []
    }

    /// Asks for a name's addresses; one answer follows.
    package func ask(_ name: String) {
        let found: ares_addrinfo_callback = { data, status, _, result in
            guard let data = unsafe data else { return }
            let question = unsafe Unmanaged<Question>.fromOpaque(data).takeRetainedValue()
            unsafe question.resolver.answer(question.name, status, result)
            unsafe ares_freeaddrinfo(result)
        }
        questions += 1
        let question = unsafe Unmanaged.passRetained(Question(self, name)).toOpaque()
        unsafe mooring_ares_ask(channel, name, found, question)
    }

    /// Continues after an event of a socket; nil: after `nextDeadline`.
    package func advance(_ descriptor: Int32?) {
        guard let descriptor else {
            return unsafe ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
        }
        // One call may leave bytes in the socket, for which no further event comes.
        for _ in 0..<8 where sockets.contains(descriptor) {
            unsafe ares_process_fd(channel, descriptor, descriptor)
        }
    }

    /// When `advance` must be called without an event; monotonic ns; nil: not.
    package var nextDeadline: Int64? {
        if questions == 0 { return nil }
        let left = unsafe mooring_ares_wait(channel)
        return left < 0 ? nil : Clock.monotonic() + Int64(left) * 1_000_000
    }

    /// The sockets that are new, or have another interest, since the last call.
    package func takeSockets() -> [WatchedSocket] {
        defer { changes = [] }
        return changes.filter { sockets.contains($0.descriptor) }
    }

    /// The answers since the last call.
    package func takeAnswers() -> [Answer] {
        defer { answers = [] }
        return answers
    }

    /// The answers for several names, for a program that can wait.
    ///
    /// - Returns: one for each name that was answered in time.
    package static func answers(
        for names: [String], servers: [String], within span: Int64
    ) throws -> [Answer] {
        let loop = try EventLoop()
        let resolver = try NameResolver(servers: servers)
        defer { resolver.close() }
        let end = Clock.monotonic() + span
        var answers: [Answer] = []
        for name in names { resolver.ask(name) }
        while true {
            answers += resolver.takeAnswers()
            if answers.count == names.count || Clock.monotonic() >= end { return answers }
            for socket in resolver.takeSockets() { try socket.register(in: loop, token: 0) }
            loop.turn(until: min(end, resolver.nextDeadline ?? end)) { _, _ in }
            for socket in resolver.sockets { resolver.advance(socket) }
            resolver.advance(nil)
        }
    }

    private func note(_ socket: Int32, reads: Bool, writes: Bool) {
        guard reads || writes else {
            sockets.remove(socket)
            changes.removeAll { $0.descriptor == socket }
            return
        }
        let isNew = sockets.insert(socket).inserted
        changes.append(WatchedSocket(descriptor: socket, isNew: isNew, writes: writes))
    }

    private func answer(
        _ name: String, _ status: Int32, _ result: UnsafeMutablePointer<ares_addrinfo>?
    ) {
        questions -= 1
        var answer = Answer(name: name, addresses: [], ttl: .max, failure: "")
        var node = unsafe result?.pointee.nodes
        while let current = unsafe node, answer.addresses.count < Self.mostAddresses {
            var text = [CChar](repeating: 0, count: 64)
            if unsafe mooring_ares_text(current, &text, 64) == 1 {
                let address = String(
                    decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !answer.addresses.contains(address) { answer.addresses.append(address) }
                answer.ttl = unsafe min(answer.ttl, Int(max(0, current.pointee.ai_ttl)))
            }
            unsafe node = unsafe current.pointee.ai_next
        }
        if answer.addresses.isEmpty {
            let isEmpty = status == ARES_SUCCESS
            answer.failure =
                isEmpty ? "it has no address" : unsafe String(cString: ares_strerror(status))
        }
        answers.append(answer)
    }
}

extension NameResolver.WatchedSocket {
    /// Registers the socket, or its new interest.
    package func register(in loop: EventLoop, token: UInt64) throws(SystemError) {
        if isNew {
            try loop.add(descriptor, token: token, writable: writes)
        } else {
            loop.setWritable(writes, descriptor, token: token)
        }
    }
}

/// Why names cannot be looked up.
package struct NameResolverError: Error, Equatable, Sendable {
    package var sentence: String
}
