internal import Backends
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// A request as a FastCGI process gets it.
struct FastCGIRequest {
    private(set) var parameters: [String: String] = [:]
    private(set) var body: [UInt8] = []
    private(set) var keepsConnection = false
    private(set) var hasBegun = false
    /// The parameters are complete, and so is the body.
    private(set) var parametersEnded = false
    private(set) var isWhole = false
    private(set) var isAborted = false
    private var told: [UInt8] = []

    /// Reads whole records; what is behind the request is another's.
    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while rest.count >= 8, !isWhole {
            let header = Array(rest.prefix(8))
            #expect(header[0] == 1 && header[2] == 0 && header[3] == 1)
            let length = Int(header[4]) << 8 | Int(header[5])
            take(header[1], Array(rest.dropFirst(8).prefix(length)))
            rest = rest.dropFirst(8 + length + Int(header[6]))
        }
    }

    private mutating func take(_ kind: UInt8, _ content: [UInt8]) {
        switch kind {
        case 1:
            #expect(content.prefix(2) == [0, 1])
            hasBegun = true
            keepsConnection = content[2] == 1
        case 2: isAborted = true
        case 4:
            #expect(!parametersEnded)
            told += content
            if content.isEmpty {
                parametersEnded = true
                readParameters()
            }
        case 5:
            body += content
            isWhole = content.isEmpty
        default: Issue.record("a process is sent no record of kind \(kind)")
        }
    }

    private mutating func readParameters() {
        var rest = told[...]
        func length() -> Int {
            let first = rest.removeFirst()
            if first < 128 { return Int(first) }
            var length = Int(first & 0x7f)
            for _ in 0..<3 { length = length << 8 | Int(rest.removeFirst()) }
            return length
        }
        while !rest.isEmpty {
            let (name, value) = (length(), length())
            let key = String(decoding: rest.prefix(name), as: UTF8.self)
            parameters[key] = String(decoding: rest.dropFirst(name).prefix(value), as: UTF8.self)
            rest = rest.dropFirst(name + value)
        }
    }
}

extension WorkerFixture {
    /// One whose servers speak FastCGI.
    static func fastCGI(
        servers count: Int = 1, _ policy: FastCGIPolicy = FastCGIPolicy(),
        _ configure: (inout ProxySettings) -> Void = { _ in },
        policy configurePolicy: (inout GroupPolicy) -> Void = { _ in },
        onErrors: @escaping @Sendable (ErrorText) -> Void = { _ in }
    ) throws -> WorkerFixture {
        try WorkerFixture(
            servers: count,
            {
                $0.groups[0].fastCGI = policy
                configure(&$0)
            }, policy: configurePolicy, onErrors: onErrors)
    }
}
