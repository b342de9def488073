internal import AdminAPI
internal import AsyncHTTPClient
internal import Backends
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import Reactor
internal import Serving

/// A client for the admin API of a running balancer.
struct AdminClient: Sendable {
    private let base: String
    /// As the user knows it.
    private let address: String
    /// The path of its unix socket; nil: it listens on TCP.
    private let socket: String?
    private let token: AdminToken?
    private static let answerLimit = 64 * 1024 * 1024
    private static let timeoutSeconds: Int64 = 10
    /// Lives as long as the command; fails at once when no balancer listens.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    init(address: ProcessAddress, token: AdminToken?) {
        self.token = token
        switch address {
        case .unix(let path):
            self.address = "unix:\(path)"
            socket = path
            base = "http+unix://\(Self.encoded(path))"
        case .tcp(let host, let port):
            // A balancer that listens on every address is reached on the loopback address.
            socket = nil
            let reachable = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
            self.address =
                reachable.contains(":") ? "[\(reachable)]:\(port)" : "\(reachable):\(port)"
            base = "http://\(self.address)"
        }
    }

    /// The body of a successful response; blocks.
    ///
    /// - Throws: `CommandFailure`: unreachable when no balancer answers, failed when it refuses.
    func get(_ path: String) throws -> Data { try ask(.GET, path).body }

    /// The current statistics.
    ///
    /// - Throws: as `get`, and failed when the balancer has another version.
    func stats() throws -> StatsDocument {
        do {
            return try AdminJSON.decode(StatsDocument.self, from: try get("/stats"))
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure.failed(
                "the balancer's answer is not understood; is it of this version"
                    + " (\(Version.current))? mooring status --json shows it as it is")
        }
    }

    /// Requests a change; blocks until the balancer has responded.
    ///
    /// - Throws: as `get`; the balancer's objection is the message.
    func post(_ path: String, body: [String: Double] = [:]) throws -> AdminAnswer {
        AdminAnswer(body: try ask(.POST, path, body: body.isEmpty ? nil : body).body)
    }

    private func ask(
        _ method: HTTPMethod, _ path: String, body: [String: Double]? = nil
    ) throws -> (status: UInt, body: Data) {
        let answer: (status: UInt, body: Data)
        do {
            // A POST needs a JSON body, even without parameters.
            let empty = method == .POST ? Data("{}".utf8) : nil
            let document = try body.map { try AdminJSON.encode($0) } ?? empty
            answer = try waitFor { try await fetch(method, path, document) }
        } catch {
            if let socket, unsafe access(socket, R_OK | W_OK) != 0, errno == EACCES {
                throw CommandFailure.unreachable(
                    "\(socket) is not open to this user; run the command as root, or as the user that"
                        + " the balancer runs as")
            }
            throw CommandFailure.unreachable(
                "no balancer answers at \(address) (\(reason(of: error))); start one with mooring"
                    + " serve, or name its address with --admin or its file with -c")
        }
        switch answer.status {
        case 200, 202:
            return answer
        case 401:
            throw CommandFailure.failed(
                "the balancer at \(address) asks for its token; name its configuration with -c, or"
                    + " the file of the token with --token-file")
        default:
            throw CommandFailure.failed(
                AdminAnswer(body: answer.body).detail
                    ?? "the balancer at \(address) answered \(answer.status) to \(path)")
        }
    }

    @concurrent private func fetch(
        _ method: HTTPMethod, _ path: String, _ document: Data?
    ) async throws -> (status: UInt, body: Data) {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        if let document {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(document, length: .known(Int64(document.count)))
        }
        request.headers.add(name: "Accept", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: token.authorization) }
        let response = try await Self.client.execute(
            request, timeout: .seconds(Self.timeoutSeconds))
        let body = try await response.body.collect(upTo: Self.answerLimit)
        return (response.status.code, Data(body.readableBytesView))
    }

    private func reason(of error: any Error) -> String {
        if let failure = error as? HTTPClientError { return failure.shortDescription }
        if let failure = error as? IOError { return SystemError.message(failure.errnoCode) }
        return "\(error)"
    }

    /// A path as the host of a `http+unix` URL: everything but letters and digits percent-encoded.
    private static func encoded(_ path: String) -> String {
        path.utf8.reduce(into: "") { result, byte in
            let scalar = UnicodeScalar(byte)
            if scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte)) {
                result.unicodeScalars.append(scalar)
            } else {
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

/// The balancer's response to a command.
struct AdminAnswer {
    private struct ProblemText: Decodable {
        var detail: String
    }

    let body: Data

    /// A number in the response.
    subscript(_ key: String) -> Int? {
        guard let document = try? JSONDecoder().decode([String: Value].self, from: body) else {
            return nil
        }
        return document[key]?.number
    }

    /// A text in the response.
    func text(_ key: String) -> String? {
        (try? JSONDecoder().decode([String: Value].self, from: body))?[key]?.text
            .map(Terminal.printable)
    }

    /// The title and detail of a problem document (RFC 9457), one per line.
    var detail: String? {
        (try? JSONDecoder().decode(ProblemText.self, from: body)).map { problem in
            problem.detail.split(separator: "\n").map { Terminal.printable(String($0)) }
                .joined(separator: "\n")
        }
    }

    private struct Value: Decodable {
        var number: Int?
        var text: String?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            number = try? value.decode(Int.self)
            text = try? value.decode(String.self)
        }
    }
}
