internal import COpenSSL
internal import Foundation
internal import Reactor
internal import Testing

@Suite struct TLSConfigurationTests {
    private let folder: CertificateFolder
    private let good: (certificate: String, key: String)

    init() throws {
        folder = try CertificateFolder()
        good = try folder.files("good")
    }

    /// What is wrong with a pair of files; fails when nothing is.
    private func problem(
        certificate: String? = nil, key: String? = nil, clientAuthority: String? = nil
    ) throws -> TLSConfigurationError {
        try #require(throws: TLSConfigurationError.self) {
            try serverContext(
                [(certificate ?? good.certificate, key ?? good.key)],
                clientAuthority: clientAuthority)
        }
    }

    @Test func `a file that is missing is named`() throws {
        let missing = folder.path + "/missing.pem"
        let expected = "\(missing): cannot be read: No such file or directory"
        #expect(try problem(certificate: missing).description == expected)
        #expect(try problem(key: missing).description == expected)
        #expect(try problem(clientAuthority: missing).description == expected)
    }

    @Test func `a folder, a device and an empty file are no certificates`() throws {
        #expect(try problem(certificate: folder.path).problem == "not a file")
        #expect(try problem(certificate: "/dev/zero").problem == "not a file")
        let empty = try folder.text("", in: "empty.pem")
        #expect(try problem(certificate: empty).problem == "the file is empty")
    }

    @Test func `a file of another kind is refused with what is expected`() throws {
        let text = try folder.text("certificate!\n", in: "text.pem")
        #expect(try problem(certificate: text).problem.contains("BEGIN CERTIFICATE"))
        #expect(try problem(key: text).problem.contains("BEGIN PRIVATE KEY"))
        #expect(try problem(clientAuthority: text).problem.contains("BEGIN CERTIFICATE"))
    }

    @Test func `swapped files are recognised`() throws {
        let certificate = try problem(certificate: good.key, key: good.certificate)
        #expect(certificate.file == good.key)
        #expect(certificate.problem.hasPrefix("no certificate in it"))
        #expect(try problem(key: good.certificate).problem.hasPrefix("no private key in it"))
    }

    @Test func `a damaged certificate is reported with its position in the chain`() throws {
        let text = try String(contentsOfFile: good.certificate, encoding: .utf8)
        let broken = text.replacingOccurrences(of: "\nMII", with: "\nMIJ")
        #expect(broken != text)
        let file = try folder.text(text + broken, in: "broken.pem")
        #expect(try problem(certificate: file).problem.hasPrefix("certificate 2 is damaged: "))
    }

    @Test func `a key of another certificate is refused`() throws {
        let other = try folder.files("other")
        let found = try problem(key: other.key)
        #expect(found.file == other.key)
        #expect(found.problem.hasPrefix("the key does not belong to"))
        let rsa = try folder.files("rsa", kind: .rsa(bits: 2048))
        #expect(try problem(key: rsa.key).problem.hasPrefix("the key does not belong to"))
    }

    @Test func `a key with a pass phrase is refused without a prompt`() throws {
        let bio = unsafe BIO_new_file(good.key, "r")
        let key = unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        defer {
            unsafe BIO_free(bio)
            unsafe EVP_PKEY_free(key)
        }
        let file = folder.path + "/locked.key"
        let output = unsafe BIO_new_file(file, "w")
        let written = unsafe PEM_write_bio_PKCS8PrivateKey(
            output, key, EVP_aes_256_cbc(), nil, 0,
            { text, size, _, _ in
                guard let text = unsafe text, size >= 6 else { return -1 }
                for (place, byte) in "secret".utf8CString.dropLast().enumerated() {
                    unsafe text[place] = byte
                }
                return 6
            }, nil)
        #expect(written == 1)
        unsafe BIO_free(output)
        #expect(try problem(key: file).problem.contains("pass phrase"))
    }

    @Test func `an RSA key that is too short is refused`() throws {
        let short = try folder.files("short", kind: .rsa(bits: 1024))
        let found = try problem(certificate: short.certificate, key: short.key)
        #expect(found.description.contains("short.pem: OpenSSL refuses the certificate: ee key"))
    }

    @Test func `no certificates at all are refused`() {
        #expect(throws: TLSConfigurationError.self) { try serverContext([]) }
    }

    @Test func `certificate and key may be in one file`() throws {
        let both =
            try String(contentsOfFile: good.key, encoding: .utf8)
            + String(contentsOfFile: good.certificate, encoding: .utf8)
        let file = try folder.text(both, in: "both.pem")
        #expect(try serverContext([(file, file)]).warnings.isEmpty)
    }

    @Test func `an expired certificate is served with a warning`() throws {
        let old = try folder.files("old", days: -9 ..< -2)
        let warnings = try serverContext([old]).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("\(old.certificate): the certificate expired on "))
        let new = try folder.files("new", days: 2..<9)
        #expect(try serverContext([new]).warnings[0].contains("is not valid before "))
    }

    @Test func `a key that everybody may read is served with a warning`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: good.key)
        let warnings = try serverContext([good]).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("\(good.key): every user"))
    }

    @Test func `a certificate that no client will see is worth a warning`() throws {
        let one = try folder.files("one", alternatives: ["DNS:a.example", "DNS:*.a.example"])
        let same = try folder.files("same", alternatives: ["DNS:a.example"])
        let warnings = try serverContext([one, same]).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("\(same.certificate): certificates before it"))
        let nameless = try folder.files("nameless", alternatives: ["IP:192.0.2.1"])
        #expect(try serverContext([nameless, one]).warnings.isEmpty)
        #expect(try serverContext([one, nameless]).warnings[0].contains("no host name in it"))
    }

    @Test func `a chain out of order is served with a warning`() throws {
        let authority = try folder.authority()
        let signed = try folder.files("signed", by: authority)
        let first = try String(contentsOfFile: signed.certificate, encoding: .utf8)
        let right = try folder.text(
            first + String(contentsOfFile: authority.file, encoding: .utf8), in: "right.pem")
        #expect(try serverContext([(right, signed.key)]).warnings.isEmpty)
        let wrong = try folder.text(
            first + String(contentsOfFile: good.certificate, encoding: .utf8), in: "wrong.pem")
        let warnings = try serverContext([(wrong, signed.key)]).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].contains("certificate 2 is not the issuer"))
    }
}
