internal import Foundation
internal import Routing
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import ReverseProxy

/// What a FastCGI process is told of a request.
@Suite struct FastCGIRequestTests {
    private static let answer = FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end()

    /// What the process gets of a request that a client has said.
    private func asked(
        _ request: String, _ policy: FastCGIPolicy = FastCGIPolicy(),
        _ configure: (inout ProxySettings) -> Void = { _ in }
    ) throws -> FastCGIRequest {
        let fixture = try WorkerFixture.fastCGI(policy, configure)
        let client = try fixture.connect()
        client.say(request)
        fixture.run()
        return FastCGIRequest(try fixture.accept().hearBytes())
    }

    @Test func `a request is told by parameters, and ends with an empty body`() throws {
        let request = try asked(
            "GET /a%20b/c?x=1&y=%2F HTTP/1.1\r\nHost: example.org:81\r\nX-Field: v\r\nX_Field: w\r\n\r\n"
        )
        #expect(request.hasBegun && request.isWhole && request.keepsConnection)
        #expect(request.body.isEmpty)
        let expected = [
            "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "QUERY_STRING": "x=1&y=%2F",
            "REQUEST_URI": "/a%20b/c?x=1&y=%2F", "SCRIPT_NAME": "", "PATH_INFO": "/a b/c",
            "DOCUMENT_URI": "/a b/c", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.org",
            "SERVER_SOFTWARE": "mooring", "REDIRECT_STATUS": "200", "REMOTE_ADDR": "192.0.2.1",
            "HTTP_HOST": "example.org:81", "HTTP_X_FIELD": "v", "REQUEST_SCHEME": "http",
            "HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_VIA": "1.1 mooring",
            "HTTP_MOORING_AFFINITY": "new",
        ]
        for (name, value) in expected { #expect(request.parameters[name] == value, "\(name)") }
        for name in ["CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "SCRIPT_FILENAME"] {
            #expect(request.parameters[name] == nil, "\(name)")
        }
    }

    @Test func `Mooring's own cookie stays hidden, and a client's lies are not told`() throws {
        let request = try asked(
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: mooring=x; own=1\r\nCookie: two=2\r\nProxy: evil\r\n"
                + "Mooring-Session: forged\r\nX-Forwarded-For: 6.6.6.6\r\nMOORING_SESSION: f\r\n\r\n"
        )
        #expect(request.parameters["HTTP_COOKIE"] == "own=1; two=2")
        #expect(request.parameters["HTTP_PROXY"] == nil)
        #expect(request.parameters["HTTP_MOORING_SESSION"] != "forged")
        #expect(request.parameters["HTTP_X_FORWARDED_FOR"] == "192.0.2.1")
    }

    @Test func `a front controller answers for all paths`() throws {
        var policy = FastCGIPolicy()
        policy.root = "/srv/www"
        policy.script = "/srv/www/app/front.php"
        for (path, rest) in [
            ("/", nil), ("/some/page.php", nil), ("/app/front.php", nil),
            ("/app/front.php/x/y?z", "/x/y"), ("/app/front.phpx", nil),
        ] as [(String, String?)] {
            let told = try asked("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n", policy).parameters
            #expect(told["SCRIPT_FILENAME"] == "/srv/www/app/front.php")
            #expect(told["SCRIPT_NAME"] == "/app/front.php")
            #expect(told["PATH_INFO"] == rest, "\(path)")
            #expect(told["DOCUMENT_ROOT"] == "/srv/www")
            #expect(told["REQUEST_URI"] == path)
            #expect(told["DOCUMENT_URI"] == "/app/front.php" + (rest ?? ""))
        }
    }

    @Test func `what a route takes off the path is in front of the script's name`() throws {
        let told = try asked(
            "GET /m%6funt//x/y HTTP/1.1\r\nHost: a\r\n\r\n", FastCGIPolicy(),
            { settings in
                settings.routes = RouteTable([Route(prefix: "/mount", group: 0, stripPrefix: true)])
                settings.routeSettings[0].strippedPrefix = "/mount"
            }
        ).parameters
        #expect(told["SCRIPT_NAME"] == "/mount" && told["PATH_INFO"] == "/x/y")
        #expect(told["HTTP_X_FORWARDED_PREFIX"] == "/mount")
    }

    @Test func `the configuration's own parameters come last`() throws {
        var policy = FastCGIPolicy()
        policy.parameters = ["REQUEST_METHOD": "PURGE", "APP": String(repeating: "x", count: 300)]
        let told = try asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n", policy).parameters
        #expect(told["REQUEST_METHOD"] == "PURGE")
        #expect(told["APP"]?.count == 300)
    }

    @Test func `parameters that do not fit into one block follow each other`() throws {
        let query = String(repeating: "q", count: 30_000)
        let request = try asked("GET /?\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.parameters["QUERY_STRING"] == query)
        #expect(request.parameters["REQUEST_URI"] == "/?" + query)
        #expect(request.isWhole)
    }

    @Test(arguments: [0, 1, 5, 70_000]) func `a body with a length is told and sent`(
        _ length: Int
    ) throws {
        let fixture = try WorkerFixture.fastCGI()
        let client = try fixture.connect()
        client.say(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: t/p\r\nContent-Length: \(length)\r\n\r\n")
        fixture.run()
        var heard: [UInt8] = []
        var process: Peer?
        var said = 0
        for _ in 0..<100 where !FastCGIRequest(heard).isWhole {
            said += client.say(min(20_000, length - said), of: UInt8(ascii: "b"))
            fixture.run()
            if process == nil { process = fixture.acceptIfAny(at: 0) }
            heard += process?.hearBytes() ?? []
        }
        let request = FastCGIRequest(heard)
        #expect(request.parameters["CONTENT_LENGTH"] == "\(length)")
        #expect(request.parameters["CONTENT_TYPE"] == "t/p")
        #expect(request.parameters["HTTP_CONTENT_LENGTH"] == nil)
        #expect(request.body == [UInt8](repeating: UInt8(ascii: "b"), count: length))
        process?.say(Self.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("\r\n\r\nok"))
    }

    @Test func `a body in chunks that fits the buffer is told with its length`() throws {
        let request = try asked(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
                + "5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n")
        #expect(request.parameters["CONTENT_LENGTH"] == "11")
        #expect(request.parameters["HTTP_TRANSFER_ENCODING"] == nil)
        #expect(request.body == Array("hello world".utf8) && request.isWhole)
    }

    @Test func `a longer one is streamed up to its end`() throws {
        let fixture = try WorkerFixture.fastCGI { $0.limits.requestBuffer = 4096 }
        let client = try fixture.connect()
        client.say("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n")
        #expect(client.say(60_000, of: UInt8(ascii: "c")) == 60_000)
        fixture.run()
        let process = try fixture.accept()
        var heard = process.hearBytes()
        #expect(!FastCGIRequest(heard).isWhole)
        client.say("\r\n3\r\nend\r\n0\r\n\r\n")
        fixture.run()
        heard += process.hearBytes()
        let request = FastCGIRequest(heard)
        #expect(request.parameters["CONTENT_LENGTH"] == nil)
        #expect(request.body.count == 60_003 && request.isWhole)
        #expect(request.body.suffix(3) == Array("end".utf8))
    }

    @Test func `a client that waits to be asked for its body is asked at once`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let client = try fixture.connect()
        client.say(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        fixture.run()
        #expect(client.hear() == "HTTP/1.1 100 Continue\r\n\r\n")
        client.say("hi")
        fixture.run()
        let request = FastCGIRequest(try fixture.accept().hearBytes())
        #expect(request.body == Array("hi".utf8) && request.parameters["HTTP_EXPECT"] == nil)
    }

    @Test func `a path with a zero byte is refused`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let client = try fixture.connect()
        client.say("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 400 "))
        #expect(fixture.isLeftAlone)
    }

    @Test func `scripts are looked for below the root, and nothing else is run`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("scripts-\(UUID().uuidString.prefix(8))")
        let root = folder.appendingPathComponent("root")
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("dir"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["root/index.php", "root/dir/index.php", "root/up.jpg", "out.php"] {
            try "x".write(
                to: folder.appendingPathComponent(name), atomically: false, encoding: .utf8)
        }
        let files = FileManager.default
        try files.createSymbolicLink(
            at: root.appendingPathComponent("out.php"),
            withDestinationURL: folder.appendingPathComponent("out.php"))
        try files.createSymbolicLink(
            at: root.appendingPathComponent("in.php"),
            withDestinationURL: root.appendingPathComponent("index.php"))
        var policy = FastCGIPolicy()
        policy.root = root.path
        let fixture = try WorkerFixture.fastCGI(policy)
        let client = try fixture.connect()
        for (path, name, rest) in [
            ("/", "/index.php", nil), ("/index.php/a/b", "/index.php", "/a/b"),
            ("/dir/", "/dir/index.php", nil), ("/in.php", "/in.php", nil),
            ("/x/../dir/index.php", "/dir/index.php", nil),
        ] as [(String, String, String?)] {
            client.say("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            fixture.run()
            let process = try fixture.accept()
            let told = FastCGIRequest(process.hearBytes()).parameters
            #expect(told["SCRIPT_NAME"] == name && told["PATH_INFO"] == rest, "\(path)")
            #expect(told["SCRIPT_FILENAME"] == root.path + name)
            process.say(Self.answer)
            process.close()
            fixture.run()
            #expect(client.hear().hasPrefix("HTTP/1.1 200 "))
        }
        for path in ["/no.php", "/up.jpg", "/up.jpg/a.php", "/out.php", "/dir/no", "/dir/x/"] {
            client.say("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            fixture.run()
            #expect(client.hear().hasPrefix("HTTP/1.1 404 "), "\(path)")
        }
        client.say("GET /%2f%64ir?q HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        let moved = client.hear()
        #expect(moved.hasPrefix("HTTP/1.1 301 ") && moved.contains("\r\nLocation: /dir/?q\r\n"))
        #expect(fixture.isLeftAlone)
    }
}
