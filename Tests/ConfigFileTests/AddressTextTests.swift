internal import Backends
internal import ConfigFile
internal import Testing

@Suite struct AddressTextTests {
    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80"), ("localhost:8080", "127.0.0.1:8080"),
        ("[::1]:80", "[::1]:80"), ("[::]:65535", "[::]:65535"),
        ("[2001:DB8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"),
        ("[1:0:3:4:5:6:7:8]:1", "[1:0:3:4:5:6:7:8]:1"), ("[1::]:1", "[1::]:1"),
        ("[::ffff:10.0.0.1]:1", "[::ffff:a00:1]:1"), ("unix:/run/a.sock", "unix:/run/a.sock"),
    ])
    func `an address is read in its canonical form`(text: String, canonical: String) throws {
        #expect(try AddressText.parse(text).text == canonical)
    }

    @Test(arguments: [
        "", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+80", "127.0.0.1:8 0", "127.0.0.01:80", "127.0.0:80", "1.2.3.4.5:80",
        "256.0.0.1:80", "*:80", ":80", "::1:80", "[::1]", "[::1:80", "[]:80", "[:::]:80",
        "[1::2::3]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[::12345]:80",
        "[fe80::1%eth0]:80", "[::10.0.0.1:1]:80", "[1:2:3:4:5:6:7::8]:80", "example.org:80",
        "http://127.0.0.1:80", "unix:", "unix:a.sock", "unix:/", "fd:web",
        "unix:/" + String(repeating: "a", count: 107), "127.0.0.1:99999999999999999999",
    ])
    func `what is no address is refused with advice`(text: String) {
        do throws(AddressError) {
            let address = try AddressText.parse(text)
            Issue.record("\(text) is taken for \(address)")
        } catch {
            #expect(!error.wrong.isEmpty && !error.right.isEmpty)
        }
    }

    @Test func `localhost stays where it means both loopback addresses`() throws {
        let address = try AddressText.parse("localhost:8080", keepsNames: true)
        #expect(address.text == "localhost:8080")
        #expect(
            try AddressText.parse("127.0.0.1:8080", keepsNames: true)
                == .tcp(host: "127.0.0.1", port: 8080))
    }

    @Test func `port 0 is for listening only`() throws {
        let address = try AddressText.parse("127.0.0.1:0", allowsPortZero: true)
        #expect(address == .tcp(host: "127.0.0.1", port: 0))
    }
}
