internal import Reactor

/// Why a user or group is unusable; each text includes the remedy.
package enum AccountError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownUser(String)
    /// At least one.
    case unknownGroups([String])
    /// A numeric user that the user database does not know: it has no group of its own.
    case numberWithoutGroup(String)
    /// The user database does not answer.
    case lookUp(String, errno: Int32)

    package var description: String {
        switch self {
        case .unknownUser(let name):
            "there is no user \(PrintableText.quoted(name)); "
                + "give the name or number of one that exists"
        case .unknownGroups(let names):
            names.map { "there is no group \(PrintableText.quoted($0))" }.joined(separator: ", ")
                + "; give the name or number of one that exists"
        case .numberWithoutGroup(let user):
            "the user database has no user \(user), so its group is not known; set group as well"
        case .lookUp(let name, let code):
            "\(PrintableText.quoted(name)) cannot be looked up: \(SystemError.message(code))"
        }
    }
}
