internal import COpenSSL
internal import Foundation
internal import Testing

/// What OpenSSL has made; throws when it has not.
func made(_ pointer: OpaquePointer?) throws -> OpaquePointer {
    guard let pointer = unsafe pointer else { throw NothingMade() }
    return unsafe pointer
}

/// OpenSSL has given nothing.
struct NothingMade: Error {}

/// A temporary folder of certificates and keys, made as a test wants them; removed with the object.
@safe final class CertificateFolder {
    enum KeyKind { case ec, rsa(bits: Int32) }

    /// Whose certificate signs another.
    @safe struct Authority {
        let certificate: OpaquePointer
        let key: OpaquePointer
        let file: String
    }

    let path: String
    private var serial = 1
    private var owned: [(certificate: OpaquePointer, key: OpaquePointer)] = unsafe []

    init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit {
        for index in unsafe owned.indices {
            unsafe X509_free(owned[index].certificate)
            unsafe EVP_PKEY_free(owned[index].key)
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A certificate that signs others, in `NAME.pem`.
    func authority(
        _ name: String = "authority", by issuer: Authority? = nil
    ) throws -> Authority {
        let key = try unsafe Self.key(.ec)
        let certificate = try unsafe sign(
            name, extensions: [(NID_basic_constraints, "critical,CA:TRUE")], days: -1..<10,
            key: key, by: issuer)
        let file = "\(path)/\(name).pem"
        try unsafe write([certificate], key: nil, to: file)
        return unsafe Authority(certificate: certificate, key: key, file: file)
    }

    /// A certificate and key in `FILE.pem` and `FILE.key`; signed by itself without an authority.
    ///
    /// - Parameters:
    ///   - alternatives: `DNS:a.example`; empty: the common name is all there is.
    ///   - days: from which to which it is valid, counted from now.
    func files(
        _ file: String, name: String = "server", alternatives: [String] = [],
        days: Range<Int> = -1..<10, kind: KeyKind = .ec, by authority: Authority? = nil
    ) throws -> (certificate: String, key: String) {
        let key = try unsafe Self.key(kind)
        let names = alternatives.isEmpty ? [] : [(NID_subject_alt_name, alternatives)]
        let certificate = try unsafe sign(
            name, extensions: names.map { ($0.0, $0.1.joined(separator: ",")) }, days: days,
            key: key, by: authority)
        let place = "\(path)/\(file)"
        try unsafe write([certificate], key: nil, to: place + ".pem")
        try unsafe write([], key: key, to: place + ".key")
        return (place + ".pem", place + ".key")
    }

    /// Any text in a file of the folder.
    func text(_ text: String, in file: String) throws -> String {
        let place = "\(path)/\(file)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: place))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place)
        return place
    }

    private func sign(
        _ name: String, extensions: [(kind: Int32, value: String)], days: Range<Int>,
        key: OpaquePointer, by authority: Authority?
    ) throws -> OpaquePointer {
        let certificate = try unsafe made(X509_new())
        let own = unsafe X509_get_subject_name(certificate)
        _ = unsafe X509_set_version(certificate, 2)
        _ = unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
        serial += 1
        _ = unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), days.lowerBound * 86400)
        _ = unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), days.upperBound * 86400)
        _ = unsafe X509_set_pubkey(certificate, key)
        _ = unsafe X509_NAME_add_entry_by_txt(
            own, "CN", V_ASN1_UTF8STRING, name, Int32(name.utf8.count), -1, 0)
        let issuer = unsafe authority.map { unsafe X509_get_subject_name($0.certificate) } ?? own
        _ = unsafe X509_set_issuer_name(certificate, issuer)
        for (kind, value) in extensions {
            let added = try unsafe made(X509V3_EXT_conf_nid(nil, nil, kind, value))
            _ = unsafe X509_add_ext(certificate, added, -1)
            unsafe X509_EXTENSION_free(added)
        }
        #expect(unsafe X509_sign(certificate, authority?.key ?? key, EVP_sha256()) > 0)
        unsafe owned.append((certificate, key))
        return unsafe certificate
    }

    private static func key(_ kind: KeyKind) throws -> OpaquePointer {
        let name = if case .ec = kind { "EC" } else { "RSA" }
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        #expect(unsafe EVP_PKEY_keygen_init(context) == 1)
        switch kind {
        case .ec: #expect(unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1)
        case .rsa(let bits): #expect(unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1)
        }
        var key: OpaquePointer?
        #expect(unsafe EVP_PKEY_generate(context, &key) == 1)
        return try unsafe made(key)
    }

    private func write(_ certificates: [OpaquePointer], key: OpaquePointer?, to file: String) throws
    {
        let bio = try unsafe made(BIO_new_file(file, "w"))
        for index in unsafe certificates.indices {
            #expect(unsafe PEM_write_bio_X509(bio, certificates[index]) == 1)
        }
        if unsafe key != nil {
            #expect(unsafe PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1)
        }
        unsafe BIO_free(bio)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    }
}
