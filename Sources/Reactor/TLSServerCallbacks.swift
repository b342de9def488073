internal import COpenSSL

/// One reference to an SSL_CTX.
@safe final class TLSServerContextReference {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// The data of OpenSSL's callbacks; lives as long as its SSL_CTX, which connections reference too.
///
/// Written while the context is created and only read once it serves.
@safe final class TLSServerAttachment {
    let protocols: [TLSApplicationProtocol]
    let tickets: TLSTicketKeys
    /// The contexts by index; only the first one's attachment has them.
    ///
    /// The first is left out, to avoid a reference cycle.
    var others: [TLSServerContextReference?] = []
    /// Which name selects which context.
    var names = TLSServerNames()

    init(protocols: [TLSApplicationProtocol], tickets: TLSTicketKeys) {
        self.protocols = protocols
        self.tickets = tickets
    }

    /// The range of our most preferred protocol in a client's list; nil: none of ours is in it.
    func choice(of offered: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for wanted in protocols {
            var position = 0
            while position < offered.count {
                let end = position + 1 + Int(unsafe offered[position])
                guard end <= offered.count else { return nil }
                let name = (position + 1)..<end
                if unsafe offered[name].elementsEqual(wanted.name) { return name }
                position = end
            }
        }
        return nil
    }

    /// The index in an SSL_CTX that holds the attachment.
    private static let index: Int32 = unsafe mooring_ssl_context_index { _, held, _, _, _, _ in
        guard let held = unsafe held else { return }
        unsafe Unmanaged<TLSServerAttachment>.fromOpaque(held).release()
    }

    /// Stores the attachment in the context.
    func attach(to context: OpaquePointer) {
        let held = unsafe Unmanaged.passRetained(self).toOpaque()
        let stored = unsafe SSL_CTX_set_ex_data(context, Self.index, held)
        precondition(stored == 1, "OpenSSL has no memory for a pointer")
    }

    static func of(_ context: OpaquePointer?) -> TLSServerAttachment? {
        guard let held = unsafe SSL_CTX_get_ex_data(context, index) else { return nil }
        return unsafe Unmanaged<TLSServerAttachment>.fromOpaque(held).takeUnretainedValue()
    }
}

/// Creates the contexts of one listener, which differ only in their certificates.
struct TLSServerContextMaking {
    let protocols: [TLSApplicationProtocol]
    let authorities: [TLSCertificate]
    let authorityFile: String
    let tickets: TLSTicketKeys

    /// A context without a certificate.
    func make() throws(TLSConfigurationError) -> TLSServerContextReference {
        let context = try unsafe TLSServerContextReference(TLSContext.make(TLS_server_method()))
        let pointer = unsafe context.pointer
        unsafe TLSServerAttachment(protocols: protocols, tickets: tickets).attach(to: pointer)
        unsafe setTickets(pointer)
        unsafe setProtocols(pointer)
        if !authorities.isEmpty { try unsafe requireClientCertificate(pointer) }
        return context
    }

    /// Makes the first context select one by the client's server name (SNI).
    func choose(among contexts: [TLSServerContextReference], by names: TLSServerNames) {
        guard let attachment = unsafe TLSServerAttachment.of(contexts[0].pointer) else { return }
        attachment.names = names
        attachment.others = [nil] + Array(contexts.dropFirst())
        unsafe mooring_ssl_on_server_name(contexts[0].pointer) { ssl, _, _ in
            guard let ssl = unsafe ssl,
                let asked = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
                let attachment = unsafe TLSServerAttachment.of(SSL_get_SSL_CTX(ssl)),
                let index = attachment.names.index(for: unsafe String(cString: asked))
            else { return SSL_TLSEXT_ERR_NOACK }
            if let other = attachment.others[index] {
                unsafe SSL_set_SSL_CTX(ssl, other.pointer)
            }
            return SSL_TLSEXT_ERR_OK
        }
    }

    /// Tickets are valid for as long as the key that seals them; the server keeps no session state.
    ///
    /// The session id context binds sessions to one set of client authorities, although the ticket
    /// keys are shared.
    private func setTickets(_ context: OpaquePointer) {
        unsafe SSL_CTX_set_timeout(context, Int(TLSTicketKeys.useTime / 1_000_000_000))
        var digest = [UInt8](repeating: 0, count: 32)
        let about = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(about) }
        _ = unsafe EVP_DigestInit_ex(about, EVP_sha256(), nil)
        for authority in authorities {
            var one = [UInt8](repeating: 0, count: 32)
            var length: UInt32 = 0
            _ = unsafe X509_digest(authority.pointer, EVP_sha256(), &one, &length)
            _ = unsafe EVP_DigestUpdate(about, one, one.count)
        }
        _ = unsafe EVP_DigestFinal_ex(about, &digest, nil)
        _ = unsafe SSL_CTX_set_session_id_context(context, digest, UInt32(digest.count))
        _ = unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context) {
            ssl, name, iv, cipher, authentication, isSealing in
            guard let name = unsafe name, let iv = unsafe iv,
                let attachment = unsafe TLSServerAttachment.of(SSL_get_SSL_CTX(ssl))
            else { return -1 }
            return isSealing == 1
                ? unsafe TLSTicketSeal.seal(
                    with: attachment.tickets, name: name, iv: iv, cipher: cipher,
                    authentication: authentication)
                : unsafe TLSTicketSeal.open(
                    with: attachment.tickets, version: SSL_version(ssl), name: name, iv: iv,
                    cipher: cipher, authentication: authentication)
        }
    }

    private func setProtocols(_ context: OpaquePointer) {
        if protocols.isEmpty { return }
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { ssl, chosen, length, offered, count, _ in
                guard let attachment = unsafe TLSServerAttachment.of(SSL_get_SSL_CTX(ssl)) else {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                let list = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
                guard let name = unsafe attachment.choice(of: list) else {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                unsafe chosen?.pointee = list.baseAddress.map { unsafe $0 + name.lowerBound }
                unsafe length?.pointee = UInt8(name.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    private func requireClientCertificate(
        _ context: OpaquePointer
    ) throws(TLSConfigurationError) {
        unsafe TLSContext.trust(authorities, in: context)
        for authority in authorities
        where unsafe SSL_CTX_add_client_CA(context, authority.pointer) != 1 {
            throw TLSConfigurationError(
                file: authorityFile, problem: "OpenSSL refuses it: \(OpenSSLErrors.first())")
        }
        unsafe SSL_CTX_set_verify(
            context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
}
