/// When a session is pinned to a process (`affinity.pin`).
package enum Pin: String, Sendable, CaseIterable {
    /// With the first request.
    case always
    /// When the response asks for it.
    case app
    case never
}
