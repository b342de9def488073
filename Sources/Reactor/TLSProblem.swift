internal import COpenSSL
internal import Glibc

/// Why a handshake failed: numbers only, so that a hostile peer makes nothing be allocated.
package struct TLSProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What it comes down to.
    package enum Kind: UInt8, Sendable {
        /// The peer has gone, or the socket has failed.
        case closed
        /// The peer speaks HTTP without TLS.
        case clearText
        /// No version, cipher or group in common.
        case incompatible
        /// ALPN was offered and nothing of it is spoken here (RFC 7301 section 3.2).
        case noCommonProtocol
        /// A certificate is required of the peer and none came.
        case certificateMissing
        /// The peer's certificate does not stand up to verification.
        case certificateRefused
        /// The peer has refused: its alert is in the description.
        case alert
        /// What came is not TLS, or not as the protocol has it.
        case malformed
    }

    package let kind: Kind
    /// OpenSSL's error code; 0: none.
    private let code: UInt
    /// An errno for `closed`, a result of verification for `certificateRefused`.
    private let detail: Int32

    /// For a log line: what OpenSSL, the verification or the system call says.
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

    /// Reads off why the last call on `ssl` failed.
    ///
    /// - Parameters:
    ///   - result: what SSL_get_error(3) says.
    ///   - errno: as it was right behind the call.
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
        // OpenSSL counts the alerts that a peer sends from here on.
        case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255): .alert
        default: .malformed
        }
    }
}

/// OpenSSL's queue of errors, one for each thread: emptied before a call, read off behind it.
enum OpenSSLErrors {
    /// The oldest error of the queue, which is where the trouble began, in OpenSSL's words.
    static func first() -> String {
        let code = ERR_peek_error()
        ERR_clear_error()
        return text(code) ?? "OpenSSL gives no reason"
    }

    /// The words for a code; nil: there are none.
    static func text(_ code: UInt) -> String? {
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return nil }
        return unsafe String(cString: text)
    }
}

/// A certificate, key or authority file that TLS cannot be served with.
package struct TLSConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path as it was given; empty when no file is to blame.
    package let file: String
    /// What is wrong and what to do.
    package let problem: String

    /// `key.pem: the key does not belong to …`.
    package var description: String { file.isEmpty ? problem : "\(file): \(problem)" }
}
