internal import Glibc

/// A reason why the processes of a group cannot be started, found beforehand.
package struct LaunchFault: Equatable, Sendable {
    /// The part of the launch concerned.
    package enum Subject: Equatable, Sendable {
        case directory
        case program
        case user
        case limit(String?)
        case application
        case server
        case environment
    }

    package var subject: Subject
    /// What is wrong; what would be right.
    package var sentence: String
    /// Whether it only concerns the user who runs the check, and may not apply to the balancer.
    package var isWarning = false

    init(_ subject: Subject, _ sentence: String, isWarning: Bool = false) {
        self.subject = subject
        self.sentence = sentence
        self.isWarning = isWarning
    }

    init(_ failure: SpawnFailure) {
        switch failure.step {
        case "cwd": subject = .directory
        case "user", "group": subject = .user
        case "rlimits": subject = .limit(failure.subject)
        default: subject = .program
        }
        let isRefused = failure.errno == EACCES && subject == .program
        sentence =
            failure.description
            + (isRefused ? "; choose one that the group's user may execute" : "")
    }
}
