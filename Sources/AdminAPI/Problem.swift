internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird

/// An error as `application/problem+json` (RFC 9457).
struct Problem: Error, HTTPResponseError {
    private struct Document: Encodable {
        let type = "about:blank"
        var title: String
        var status: Int
        var detail: String
        /// An extension member of `/healthz` and `/readyz`; omitted elsewhere.
        var reasons: [String]?
    }

    var status: HTTPResponse.Status
    var detail: String
    var headers: HTTPFields = [:]
    var reasons: [String]?

    init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let document = Document(
            title: status.reasonPhrase, status: status.code, detail: detail, reasons: reasons)
        var response = try json(document, type: "application/problem+json")
        response.status = status
        response.headers.append(contentsOf: headers)
        return response
    }
}

/// A response with one JSON document.
func json(_ document: some Encodable, type: String = "application/json") throws -> Response {
    let data = try AdminJSON.encode(document)
    return Response(
        status: .ok, headers: [.contentType: type],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
}

/// A response with text.
func page(_ text: String, type: String) -> Response {
    Response(
        status: .ok, headers: [.contentType: type],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}
