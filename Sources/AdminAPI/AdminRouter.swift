internal import Backends
internal import HTTPTypes
internal import Hummingbird

/// The endpoints, and the middleware before them.
func adminRouter(
    settings: AdminSettings, hosts: HostPolicy, source: any AdminSource, controls: any AdminControls
) -> Router<BasicRequestContext> {
    let router = Router(
        context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: ResponsePolicy())
    router.add(
        middleware: RequestGuard(
            hosts: hosts, access: settings.access, bodyLimit: settings.bodyLimit))
    let commands = AdminCommands(controls: controls, bodyLimit: settings.bodyLimit)
    for name in Endpoint.Name.allCases {
        let endpoint = Endpoint.of(name)
        if endpoint.isCommand {
            router.post(RouterPath(endpoint.path)) { request, context in
                try await commands.carryOut(name, request, context)
            }
        } else {
            router.get(RouterPath(endpoint.path)) { request, context in
                try answer(name, request, context, source)
            }
        }
    }
    return router
}

private func answer(
    _ name: Endpoint.Name, _ request: Request, _ context: BasicRequestContext,
    _ source: any AdminSource
) throws -> Response {
    switch name {
    case .index:
        return try index(request)
    case .health:
        return try health(source.stalledLoops())
    case .readiness:
        return try readiness(source.snapshot())
    case .stats:
        return try json(StatsDocument(source.snapshot()))
    case .groupStats:
        return try groupStats(try context.name("group"), source.snapshot())
    case .metrics:
        let type = "text/plain; version=0.0.4; charset=utf-8"
        return page(metricsPage(source.snapshot()), type: type)
    case .restart, .scale, .reset, .drain, .stop, .up, .reload:
        throw Problem(.methodNotAllowed, "This endpoint takes POST.", headers: [.allow: "POST"])
    }
}

private func health(_ stalled: [String]) throws -> Response {
    if stalled.isEmpty { return try json(["status": "ok"]) }
    var problem = Problem(.serviceUnavailable, stalled.joined(separator: "; "))
    problem.reasons = stalled
    throw problem
}

private func readiness(_ snapshot: AdminSnapshot) throws -> Response {
    let report = ReadinessReport(snapshot)
    if report.reasons.isEmpty { return try json(["status": "ready"]) }
    var problem = Problem(
        .serviceUnavailable, report.reasons.joined(separator: "; "), headers: [.retryAfter: "1"])
    problem.reasons = report.reasons
    throw problem
}

private func groupStats(_ name: String, _ snapshot: AdminSnapshot) throws -> Response {
    guard let group = snapshot.groups.first(where: { $0.name == name }) else {
        let names = snapshot.groups.map(\.name).joined(separator: ", ")
        throw Problem(.notFound, "There is no group of this name; there are: \(names).")
    }
    return try json(GroupDocument(group, in: snapshot))
}

/// A page for browsers, the same as JSON for other clients.
private func index(_ request: Request) throws -> Response {
    let endpoints = Endpoint.Name.allCases.map(Endpoint.of)
    let accepted = request.headers[.accept] ?? ""
    guard accepted.contains("text/html") else { return try json(["endpoints": endpoints]) }
    let items = endpoints.map { endpoint in
        let isPattern = endpoint.path.contains("{") || endpoint.isCommand
        let name = isPattern ? endpoint.path : #"<a href="\#(endpoint.path)">\#(endpoint.path)</a>"#
        return "<li>\(endpoint.method) \(name): \(endpoint.summary)</li>"
    }
    let html = """
        <!DOCTYPE html>
        <html lang="en"><meta charset="utf-8"><title>Mooring</title>
        <h1>Mooring</h1>
        <ul>
        \(items.joined(separator: "\n"))
        </ul>
        </html>

        """
    return page(html, type: "text/html; charset=utf-8")
}
