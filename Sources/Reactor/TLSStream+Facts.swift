internal import COpenSSL

/// The results of a handshake; valid once it is done.
extension TLSStream {
    /// The negotiated protocol: HTTP/1.1 if the client did not use ALPN.
    package var negotiated: TLSApplicationProtocol {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        let chosen = unsafe UnsafeBufferPointer(start: name, count: Int(length))
        return unsafe chosen.elementsEqual(TLSApplicationProtocol.http2.name) ? .http2 : .http11
    }

    /// `TLSv1.3`.
    package var version: StaticString {
        switch unsafe SSL_version(ssl) {
        case TLS1_3_VERSION: "TLSv1.3"
        case TLS1_2_VERSION: "TLSv1.2"
        default: "-"
        }
    }

    /// `TLS_AES_128_GCM_SHA256`, as OpenSSL calls it.
    package var cipher: String {
        guard let cipher = unsafe SSL_get_current_cipher(ssl),
            let name = unsafe SSL_CIPHER_get_name(cipher)
        else { return "-" }
        return unsafe String(cString: name)
    }

    /// The server name that the client sent, as written; at most 255 bytes.
    package var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return nil
        }
        return unsafe String(cString: name)
    }

    /// The subject of the client's certificate in the form of RFC 2253, cut at 1 KiB: `CN=…,O=…`.
    package var clientCertificateSubject: String? {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe OpenSSLText.written { bio in
            unsafe X509_NAME_print_ex(
                bio, X509_get_subject_name(certificate), 0, mooring_x509_rfc2253)
        }
    }

    /// The session was resumed without a full handshake.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The kernel encrypts sent data (ktls(7)); otherwise OpenSSL does.
    package var usesKernelTLS: Bool { unsafe mooring_ssl_uses_ktls(ssl) == 1 }
}
