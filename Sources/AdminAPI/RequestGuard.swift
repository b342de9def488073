internal import HTTPTypes
internal import Hummingbird

/// Turns away what must not reach an endpoint: foreign hosts and origins, no token, big bodies.
struct RequestGuard<Context: RequestContext>: RouterMiddleware {
    let hosts: HostPolicy
    let token: AdminToken?
    let bodyLimit: Int

    @concurrent func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try checkHost(request)
        try checkOrigin(request)
        try checkToken(request)
        try checkBody(request)
        return try await next(request, context)
    }

    private func checkHost(_ request: Request) throws {
        guard hosts.allows(request.head.authority) else {
            throw Problem(
                .forbidden,
                "The Host of the request is none of this API; use localhost or the address that it"
                    + " listens on.")
        }
    }

    /// A browser states the origin of a page's request; only this API's own pages may ask.
    private func checkOrigin(_ request: Request) throws {
        let origins = request.headers[values: .origin]
        guard !origins.isEmpty else { return }
        let own = request.head.authority.map { "http://\($0)" }
        guard origins.count == 1, origins.first == own else {
            throw Problem(.forbidden, "Requests from pages of other origins are not answered.")
        }
    }

    private func checkToken(_ request: Request) throws {
        guard let token, !Endpoint.isOpen(request.uri.path) else { return }
        let fields = request.headers[values: .authorization]
        guard fields.count == 1, token.isCarried(by: fields.first) else {
            throw Problem(
                .unauthorized, "Send the token of [admin] token_file as Authorization: Bearer.",
                headers: [.wwwAuthenticate: #"Bearer realm="mooring""#])
        }
    }

    /// No endpoint waits for a body of unknown length, so none is taken.
    private func checkBody(_ request: Request) throws {
        if request.headers.contains(.transferEncoding) {
            throw Problem(.lengthRequired, "Send the body with Content-Length.")
        }
        guard let length = request.headers[.contentLength] else { return }
        guard let count = Int(length), count <= bodyLimit else {
            throw Problem(.contentTooLarge, "A body may have \(bodyLimit) bytes.")
        }
    }
}
