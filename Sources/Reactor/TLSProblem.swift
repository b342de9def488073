internal import COpenSSL
internal import Glibc

/// Why a handshake failed: numbers only, so that a hostile peer cannot cause allocations.
package struct TLSProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The category.
    package enum Kind: UInt8, Sendable {
        /// The peer has closed, or the socket has failed.
        case closed
        /// The peer speaks HTTP without TLS.
        case clearText
        /// No common version, cipher or group.
        case incompatible
        /// None of the offered ALPN protocols is supported (RFC 7301 section 3.2).
        case noCommonProtocol
        /// A client certificate is required but was not sent.
        case certificateMissing
        /// The peer's certificate failed verification.
        case certificateRefused
        /// The peer sent an alert, which the description contains.
        case alert
        /// The bytes are not TLS, or violate the protocol.
        case malformed
    }

    package let kind: Kind
    /// OpenSSL's error code; 0: none.
    private let code: UInt
    /// An errno for `closed`, a result of verification for `certificateRefused`.
    private let detail: Int32

    /// For a log line: the message of OpenSSL, of the verification or of the system call.
    package var description: String {
        switch kind {
        case .closed:
            return detail == 0 ? "the peer closed the connection" : SystemError.message(detail)
        case .certificateRefused:
            guard let text = unsafe X509_verify_cert_error_string(Int(detail)) else { break }
            return unsafe "certificate refused: \(String(cString: text))"
        case .clearText: return "the peer speaks HTTP without TLS"
        case .incompatible, .noCommonProtocol, .certificateMissing, .alert, .malformed: break
        }
        return OpenSSLErrors.text(code) ?? "TLS failed"
    }

    /// Determines why the last call on `ssl` failed.
    ///
    /// - Parameters:
    ///   - result: from SSL_get_error(3).
    ///   - errno: read directly after the call.
    init(ssl: OpaquePointer, result: Int32, errno: Int32) {
        if result == SSL_ERROR_SYSCALL {
            self.init(kind: .closed, code: 0, detail: errno)
            return
        }
        let code = ERR_peek_error()
        let kind = Self.kind(ofReason: ERR_GET_REASON(code))
        let refused = kind == .certificateRefused
        let verified = unsafe refused ? Int32(truncatingIfNeeded: SSL_get_verify_result(ssl)) : 0
        self.init(kind: kind, code: code, detail: verified)
    }

    private init(kind: Kind, code: UInt, detail: Int32) {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    private static func kind(ofReason reason: Int32) -> Kind {
        switch reason {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: .closed
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: .clearText
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_SHARED_CIPHER,
            SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_INAPPROPRIATE_FALLBACK,
            SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_PROTOCOLS_AVAILABLE:
            .incompatible
        case SSL_R_NO_APPLICATION_PROTOCOL: .noCommonProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: .certificateMissing
        case SSL_R_CERTIFICATE_VERIFY_FAILED: .certificateRefused
        // OpenSSL adds this offset to alerts from the peer.
        case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255): .alert
        default: .malformed
        }
    }
}

/// OpenSSL's error queue, one per thread: emptied before a call, read after it.
enum OpenSSLErrors {
    /// The oldest error of the queue, which is the cause, in OpenSSL's words.
    static func first() -> String {
        let code = ERR_peek_error()
        ERR_clear_error()
        return text(code) ?? "OpenSSL gives no reason"
    }

    /// The text for a code; nil: unknown.
    static func text(_ code: UInt) -> String? {
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return nil }
        return unsafe String(cString: text)
    }
}

/// A certificate, key or authority file that cannot be used.
package struct TLSConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path as configured; empty if no file is to blame.
    package let file: String
    /// What is wrong and what to do.
    package let problem: String

    /// `key.pem: the key does not belong to …`.
    package var description: String { file.isEmpty ? problem : "\(file): \(problem)" }
}
