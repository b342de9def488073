internal import COpenSSL
internal import Synchronization

/// The keys that seal session tickets, so that a client can resume its session on any loop, and
/// after a reload (RFC 5077 section 4, RFC 8446 section 4.6.1).
///
/// Created once per process and given to each context. AES-256-CBC and HMAC-SHA-256; keys are never
/// stored. A leaked key would reveal what TLS 1.2 clients sent under its tickets, so a key is used
/// for only eight hours and forgotten a day later.
package final class TLSTicketKeys: Sendable {
    /// How long a key seals tickets: eight hours in nanoseconds.
    package static let useTime: Int64 = 8 * 3600 * 1_000_000_000
    /// Earlier keys, of the last day, whose tickets are still accepted.
    private static let formerKeys = 3

    struct Key {
        let name: [UInt8]
        let cipher: [UInt8]
        let authentication: [UInt8]

        static func random() -> Key {
            Key(name: bytes(16), cipher: bytes(32), authentication: bytes(32))
        }

        /// Guessable keys are worse than none: without random bytes the program exits.
        private static func bytes(_ count: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            precondition(unsafe RAND_priv_bytes(&bytes, Int32(count)) == 1, "no random bytes")
            return bytes
        }
    }

    private struct State {
        /// The current one first.
        var keys = [Key.random()]
        /// When the current key's use began, in monotonic ns.
        var since: Int64
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Int64

    /// Draws the first key.
    ///
    /// - Parameter clock: monotonic nanoseconds, read at each use of a key.
    package init(clock: @escaping @Sendable () -> Int64 = { Clock.monotonic() }) {
        self.clock = clock
        state = Mutex(State(since: clock()))
    }

    /// Starts a new key for tickets; those under the three keys before it are still accepted.
    ///
    /// It happens automatically when the current key has been used for `useTime`.
    package func rotate() {
        let now = clock()
        state.withLock { state in
            Self.rotate(&state)
            state.since = now
        }
    }

    private static func rotate(ifDueAt now: Int64, _ state: inout State) {
        guard now - state.since >= useTime else { return }
        // After a long idle time, outdated keys must not be accepted for another day.
        let missed = min((now - state.since) / useTime, Int64(formerKeys) + 1)
        for _ in 0..<missed { rotate(&state) }
        state.since = now
    }

    private static func rotate(_ state: inout State) {
        state.keys.insert(.random(), at: 0)
        if state.keys.count > formerKeys + 1 { state.keys.removeLast() }
    }

    /// The key for new tickets.
    var current: Key {
        let now = clock()
        return state.withLock { state in
            Self.rotate(ifDueAt: now, &state)
            return state.keys[0]
        }
    }

    /// The key of a ticket, and whether it is the current one; nil: unknown, or expired.
    func key(named name: [UInt8]) -> (key: Key, isCurrent: Bool)? {
        let now = clock()
        return state.withLock { state in
            Self.rotate(ifDueAt: now, &state)
            guard let index = state.keys.firstIndex(where: { $0.name == name }) else { return nil }
            return (state.keys[index], index == 0)
        }
    }
}

/// The two directions of OpenSSL's ticket callback (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
enum TLSTicketSeal {
    /// Writes a name and an IV and keys both contexts for a new ticket.
    ///
    /// - Returns: 1 when done, -1 when it failed.
    static func seal(
        with keys: TLSTicketKeys, name: UnsafeMutablePointer<UInt8>,
        iv: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer?, authentication: OpaquePointer?
    ) -> Int32 {
        let key = keys.current
        guard unsafe RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 else {
            return -1
        }
        unsafe name.update(from: key.name, count: key.name.count)
        guard unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1,
            unsafe authenticate(authentication, with: key)
        else { return -1 }
        return 1
    }

    /// Initialises both contexts for a ticket that a client has sent.
    ///
    /// TLS 1.3 clients use a ticket once, so that their visits cannot be linked: each resumption
    /// gives them the next one (RFC 8446 section C.4). In TLS 1.2 a ticket is valid until its key
    /// is replaced.
    ///
    /// - Returns: 0 for an unknown key, so that a full handshake follows; 1 to resume the session;
    ///   2 to resume it and give the client a new ticket.
    static func open(
        with keys: TLSTicketKeys, version: Int32, name: UnsafeMutablePointer<UInt8>,
        iv: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer?, authentication: OpaquePointer?
    ) -> Int32 {
        let wanted = unsafe Array(UnsafeBufferPointer(start: name, count: 16))
        guard let (key, isCurrent) = keys.key(named: wanted) else { return 0 }
        guard unsafe authenticate(authentication, with: key),
            unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1
        else { return -1 }
        return isCurrent && version < TLS1_3_VERSION ? 1 : 2
    }

    private static func authenticate(
        _ context: OpaquePointer?, with key: TLSTicketKeys.Key
    ) -> Bool {
        var digest = Array("SHA256".utf8CString)
        let secret = key.authentication
        // The parameters only point to the two texts, which live as long as the call.
        return unsafe OSSL_MAC_PARAM_DIGEST.withCString { name in
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                let parameters = unsafe [
                    OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                return unsafe EVP_MAC_init(context, secret, secret.count, parameters) == 1
            }
        }
    }
}
