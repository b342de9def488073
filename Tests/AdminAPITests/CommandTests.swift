internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import Testing

@testable internal import AdminAPI

@Suite struct CommandTests {
    private func post(
        _ controls: RecordedControls, _ path: String, _ document: String? = nil,
        method: HTTPRequest.Method = .post, type: String? = "application/json"
    ) async throws -> (status: HTTPResponse.Status, text: String) {
        try await makeServer(controls: controls).application().test(.router) { client in
            var headers: HTTPFields = [:]
            headers[.contentType] = type
            if let document { headers[.contentLength] = "\(document.utf8.count)" }
            return try await client.execute(
                uri: path, method: method, headers: headers,
                body: document.map { ByteBuffer(string: $0) }
            ) { response in (response.status, String(buffer: response.body)) }
        }
    }

    @Test func `restart begins a generation and returns its number`() async throws {
        let controls = RecordedControls()
        let answer = try await post(controls, "/groups/django/restart")
        #expect(answer.status == .accepted && answer.text.contains(#""generation":2"#))
        #expect(controls.commands == ["restart"])
    }

    @Test(arguments: [
        nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "",
        "application/jsonp", "text/json",
    ])
    func `a change without a JSON content type is refused`(type: String?) async throws {
        let controls = RecordedControls()
        for path in ["/groups/django/restart", "/groups/django/scale", "/reload"] {
            let answer = try await post(controls, path, #"{"min":1}"#, type: type)
            #expect(answer.status == .unsupportedMediaType)
            #expect(answer.text.contains("application/json"))
        }
        #expect(controls.commands.isEmpty)
    }

    @Test(arguments: [
        "application/json; charset=utf-8", "Application/JSON", "application/json ;a=b",
    ])
    func `JSON may have parameters and capital letters`(type: String) async throws {
        let controls = RecordedControls()
        let answer = try await post(controls, "/groups/django/restart", type: type)
        #expect(answer.status == .accepted)
    }

    @Test func `scale takes both bounds, or one for both`() async throws {
        let controls = RecordedControls()
        _ = try await post(controls, "/groups/django/scale", #"{"min":1,"max":4}"#)
        _ = try await post(controls, "/groups/django/scale", #"{"min":3}"#)
        #expect(controls.commands == ["scale 1..4", "scale 3..3"])
    }

    @Test(arguments: ["", "{}", "[1]", #"{"min":"x"}"#])
    func `scale without its bounds explains their form`(_ document: String) async throws {
        let answer = try await post(RecordedControls(), "/groups/django/scale", document)
        #expect(answer.status == .badRequest && answer.text.contains("min"))
    }

    @Test func `invalid bounds are refused with the reason`() async throws {
        let answer = try await post(
            RecordedControls(), "/groups/django/scale", #"{"min":5,"max":4}"#)
        #expect(answer.status == .unprocessableContent)
        #expect(answer.text.contains("min is not to be above max"))
    }

    @Test func `drain takes a time limit or none`() async throws {
        let controls = RecordedControls()
        _ = try await post(controls, "/processes/k3f9/drain")
        _ = try await post(controls, "/processes/k3f9/drain", #"{"timeout_seconds":1.5}"#)
        let wrong = try await post(
            controls, "/processes/k3f9/drain", #"{"timeout_seconds":-1}"#)
        #expect(controls.commands == ["drain -", "drain 1.5"])
        #expect(wrong.status == .badRequest)
    }

    @Test func `an unknown group or process is not found`() async throws {
        let group = try await post(RecordedControls(), "/groups/flask/reset")
        #expect(group.status == .notFound && group.text.contains("django"))
        let process = try await post(RecordedControls(), "/processes/zzz/stop")
        #expect(process.status == .notFound && process.text.contains("zzz"))
        #expect(process.text.contains("mooring status"))
    }

    @Test func `reload reports what it did, or all problems when it did nothing`() async throws {
        let controls = RecordedControls()
        let good = try await post(controls, "/reload")
        #expect(good.status == .ok && good.text.contains(#""changed":["django"]"#))
        let bad = try await post(controls, "/reload")
        #expect(bad.status == .unprocessableContent && bad.text.contains("mooring.toml:3"))
    }

    @Test(arguments: ["/reload", "/groups/django/restart", "/processes/k3f9/stop"])
    func `nothing is changed by a GET`(_ path: String) async throws {
        let controls = RecordedControls()
        let answer = try await post(controls, path, method: .get)
        #expect(answer.status == .methodNotAllowed)
        #expect(controls.commands.isEmpty)
    }
}
