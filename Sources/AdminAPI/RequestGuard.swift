internal import HTTPTypes
internal import Hummingbird

/// Rejects what must not reach an endpoint: foreign hosts and origins, a missing token, bodies that
/// are too big or not JSON.
struct RequestGuard<Context: RequestContext>: RouterMiddleware {
    let hosts: HostPolicy
    let access: AdminAccess
    let bodyLimit: Int

    @concurrent func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try checkHost(request)
        try checkOrigin(request)
        try checkFetchSite(request)
        try checkToken(request)
        try checkBody(request)
        try checkType(request)
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

    /// A browser sends the origin of a page's request; only this API's own pages may send any.
    private func checkOrigin(_ request: Request) throws {
        let origins = request.headers[values: .origin]
        guard !origins.isEmpty else { return }
        let own = request.head.authority.map { "http://\($0)" }
        guard origins.count == 1, origins.first == own else {
            throw Problem(.forbidden, "Requests from pages of other origins are not answered.")
        }
    }

    /// Checks the origin of a request according to the browser (Fetch Metadata).
    ///
    /// A page on another port or a neighbouring name is `same-site`, and as foreign as any other.
    private func checkFetchSite(_ request: Request) throws {
        for field in request.headers[values: .secFetchSite]
        where !["same-origin", "none"].contains(field.lowercased()) {
            throw Problem(.forbidden, "Requests from pages of other sites are not answered.")
        }
    }

    private func checkToken(_ request: Request) throws {
        if access.isOpen(request.uri.path) { return }
        let isReading = [.get, .head].contains(request.method)
        switch access.right(of: request.headers[values: .authorization]) {
        case .everything: return
        case .reading where isReading: return
        case .reading:
            throw Problem(
                .forbidden, "This token is for reading; changes take that of [admin] token_file.")
        case .nothing:
            throw Problem(
                .unauthorized,
                "Send the token of [admin] token_file as Authorization: Bearer; for reading alone,"
                    + " that of read_token_file will do.",
                headers: [.wwwAuthenticate: #"Bearer realm="mooring""#])
        }
    }

    /// No endpoint needs a body of unknown length, so none is accepted.
    private func checkBody(_ request: Request) throws {
        if request.headers.contains(.transferEncoding) {
            throw Problem(.lengthRequired, "Send the body with Content-Length.")
        }
        guard let length = request.headers[.contentLength] else { return }
        guard let count = Int(length), count <= bodyLimit else {
            throw Problem(.contentTooLarge, "A body may have \(bodyLimit) bytes.")
        }
    }

    /// A page of another site can make a browser send a form or text, but JSON only after a
    /// preflight.
    private func checkType(_ request: Request) throws {
        guard request.method == .post, Endpoint.methods(of: request.uri.path).contains(.post) else {
            return
        }
        let types = request.headers[values: .contentType]
        let type = types.first?.prefix { $0 != ";" }.lowercased()
        guard types.count == 1, type?.filter({ $0 != " " && $0 != "\t" }) == "application/json"
        else {
            throw Problem(
                .unsupportedMediaType, "Send changes with Content-Type: application/json.",
                headers: [.accept: "application/json"])
        }
    }
}

extension HTTPField.Name {
    /// Creating a name from a token always succeeds.
    static var secFetchSite: HTTPField.Name {
        HTTPField.Name("Sec-Fetch-Site") ?? .origin
    }
}
