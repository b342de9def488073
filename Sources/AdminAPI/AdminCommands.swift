internal import Backends
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird

/// The endpoints that change something: each responds 202 with what was ordered.
struct AdminCommands: Sendable {
    private struct Scale: Decodable {
        var min: Int
        var max: Int?
    }

    private struct Drain: Decodable {
        var timeoutSeconds: Double?
    }

    private struct Ordered: Encodable {
        var group: String?
        var process: String?
        var generation: Int?
        var min: Int?
        var max: Int?
    }

    let controls: any AdminControls
    let bodyLimit: Int

    func carryOut(
        _ name: Endpoint.Name, _ request: Request, _ context: BasicRequestContext
    ) async throws -> Response {
        do {
            switch name {
            case .restart:
                let group = try context.name("group")
                let generation = try controls.restart(group: group)
                return try accepted(Ordered(group: group, generation: generation))
            case .scale:
                let group = try context.name("group")
                let wanted = try await document(
                    Scale.self, of: request, like: #"{"min":1,"max":4}"#)
                let maximum = wanted.max ?? wanted.min
                try controls.scale(group: group, minimum: wanted.min, maximum: maximum)
                return try accepted(Ordered(group: group, min: wanted.min, max: maximum))
            case .reset:
                let group = try context.name("group")
                try controls.reset(group: group)
                return try accepted(Ordered(group: group))
            case .drain:
                let process = try context.name("process")
                let label = try controls.drain(
                    process: process, timeout: try await timeout(of: request))
                return try accepted(Ordered(process: label))
            case .stop:
                let process = try context.name("process")
                return try accepted(Ordered(process: try controls.stop(process: process)))
            case .up:
                let process = try context.name("process")
                return try accepted(Ordered(process: try controls.up(process: process)))
            case .reload:
                return try json(try await controls.reload())
            case .index, .health, .readiness, .stats, .groupStats, .metrics:
                throw Problem(.methodNotAllowed, "This endpoint is only read.")
            }
        } catch let refusal as AdminRefusal {
            throw Problem(refusal)
        }
    }

    private func timeout(of request: Request) async throws -> Interval? {
        let example = #"{"timeout_seconds":60}"#
        guard let length = request.headers[.contentLength], length != "0" else { return nil }
        let wanted = try await document(Drain.self, of: request, like: example)
        guard let seconds = wanted.timeoutSeconds else { return nil }
        guard seconds >= 0, seconds <= 365 * 86_400 else {
            throw Problem(.badRequest, "Set timeout_seconds between 0 and a year.")
        }
        return .milliseconds(Int64(seconds * 1000))
    }

    private func document<Wanted: Decodable>(
        _ type: Wanted.Type, of request: Request, like example: String
    ) async throws -> Wanted {
        var request = request
        let body = try await request.collectBody(upTo: bodyLimit)
        do {
            return try AdminJSON.decode(type, from: Data(body.readableBytesView))
        } catch {
            throw Problem(.badRequest, "Send a JSON object as the body, as \(example).")
        }
    }

    private func accepted(_ ordered: Ordered) throws -> Response {
        var response = try json(ordered)
        response.status = .accepted
        return response
    }
}

extension BasicRequestContext {
    /// A part of the path as it was meant: servers have a colon in their names, which clients escape.
    func name(_ parameter: String) throws -> String {
        let given = try parameters.require(parameter)
        return given.percentDecoded ?? given
    }
}

extension Problem {
    init(_ refusal: AdminRefusal) {
        switch refusal {
        case .noSuchGroup(let names):
            self.init(.notFound, "There is no group of this name; there are: \(names).")
        case .noSuchProcess(let label):
            self.init(
                .notFound,
                "There is no living process \(label); mooring status and GET /stats show their ids,"
                    + " of which the first \(ProcessName.shortest) characters are enough.")
        case .severalProcesses(let labels):
            self.init(
                .notFound,
                "Several processes begin so: \(labels.joined(separator: ", ")). Name one of them.")
        case .invalid(let sentence):
            self.init(.unprocessableContent, sentence)
        case .badConfiguration(let problems):
            self.init(.unprocessableContent, "Nothing was changed.\n\(problems)")
        }
    }
}
