internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Rules for every response: errors as problem documents, no caching, no sniffing, HEAD.
struct ResponsePolicy<Context: RequestContext>: RouterMiddleware {
    @concurrent func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let problem as Problem {
            response = try problem.response(from: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            // The router does not distinguish an unknown path from a wrong method.
            response = try Self.absence(request).response(from: request, context: context)
        } catch {
            context.logger.error("admin request failed", metadata: ["error": "\(error)"])
            response = try Problem(.internalServerError, "See Mooring's log.")
                .response(from: request, context: context)
        }
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        return request.method == .head ? response.createHeadResponse() : response
    }

    private static func absence(_ request: Request) -> Problem {
        let methods = Endpoint.methods(of: request.uri.path)
        guard !methods.isEmpty else {
            return Problem(.notFound, "There is no such endpoint; GET / lists them.")
        }
        let list = methods.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed, "This endpoint takes \(list).", headers: [.allow: list])
    }
}
