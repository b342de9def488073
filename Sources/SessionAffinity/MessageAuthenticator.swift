internal import COpenSSL

/// HMAC-SHA-256 under one key, keyed once: OpenSSL's context is reset for each message.
///
/// Not `Sendable`: every use changes the context; each loop thread has its own.
@safe final class MessageAuthenticator {
    /// The first half of the MAC is what a token carries (RFC 2104 section 5).
    static let tagLength = 16

    private let context: OpaquePointer

    /// Keys a context.
    ///
    /// OpenSSL fails only when it is out of memory or was built without HMAC: without it no session
    /// can be pinned, so the program exits.
    init(key: [UInt8]) {
        guard let method = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else {
            preconditionFailure("this OpenSSL has no HMAC")
        }
        defer { unsafe EVP_MAC_free(method) }
        guard let context = unsafe EVP_MAC_CTX_new(method) else {
            preconditionFailure("OpenSSL has no memory for a MAC")
        }
        unsafe self.context = unsafe context
        // The parameters only point to the two strings, which live as long as the call.
        var digest = Array("SHA256".utf8CString)
        let keyed = unsafe "digest".withCString { name in
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                let parameters = unsafe [
                    OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                return unsafe EVP_MAC_init(context, key, key.count, parameters)
            }
        }
        precondition(keyed == 1, "this OpenSSL has no HMAC-SHA-256")
    }

    deinit { unsafe EVP_MAC_CTX_free(context) }

    /// The MAC over `prefix` and the token's bytes before its MAC.
    func tag(prefix: [UInt8], _ token: TokenBytes) -> InlineArray<16, UInt8> {
        tag(prefix: prefix, token.span.extracting(0..<Token.signedLength))
    }

    /// The MAC over `prefix` and what follows it.
    func tag(prefix: [UInt8], _ signed: Span<UInt8>) -> InlineArray<16, UInt8> {
        var whole = InlineArray<32, UInt8>(repeating: 0)
        var written = 0
        let isMade = unsafe prefix.withUnsafeBufferPointer { prefix in
            unsafe signed.withUnsafeBufferPointer { signed in
                var output = whole.mutableSpan
                return unsafe output.withUnsafeMutableBufferPointer { output in
                    // Without a key the context returns to its state after keying.
                    unsafe EVP_MAC_init(context, nil, 0, nil) == 1
                        && EVP_MAC_update(context, prefix.baseAddress, prefix.count) == 1
                        && EVP_MAC_update(context, signed.baseAddress, signed.count) == 1
                        && EVP_MAC_final(context, output.baseAddress, &written, output.count) == 1
                }
            }
        }
        precondition(isMade && written == 32, "OpenSSL made no MAC")
        var tag = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<Self.tagLength { tag[index] = whole[index] }
        return tag
    }

    /// Whether the token carries this MAC; compares in constant time.
    static func matches(_ tag: InlineArray<16, UInt8>, _ token: TokenBytes) -> Bool {
        let carried = token.span.extracting(Token.signedLength..<Token.length)
        return unsafe tag.span.withUnsafeBufferPointer { made in
            unsafe carried.withUnsafeBufferPointer { carried in
                unsafe CRYPTO_memcmp(made.baseAddress, carried.baseAddress, made.count) == 0
            }
        }
    }
}
