/// Why the admin API cannot be served; the sentence includes the remedy.
package struct AdminError: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
