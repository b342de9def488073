/// The one source of chance of a run.
///
/// Every draw has a name. From a seed, draws are made by a generator, and noted on demand; a recorded run
/// takes them from its list, step by step and by their names. So a recording stays what it was when
/// the simulation has learned to draw something else: what a step's list does not name is drawn as
/// the least that is possible.
final class Chance {
    private var generator: SeededGenerator
    /// What the present step of a recorded run has not drawn yet; nil: the run has a seed.
    private var given: [Recording.Draw]?
    private let isRecording: Bool
    private(set) var recording = Recording()

    init(seed: UInt64, isRecording: Bool) {
        generator = SeededGenerator(seed: seed)
        self.isRecording = isRecording
    }

    /// Chance that is none: what is not in the recording's steps is the least that is possible.
    init() {
        generator = SeededGenerator(seed: 0)
        given = []
        isRecording = false
    }

    /// Begins a step, with what was drawn in it before.
    func begin(_ draws: [Recording.Draw] = []) {
        if given != nil { given = draws }
        if isRecording { recording.steps.append([]) }
    }

    /// True in so many of a hundred cases.
    func percent(_ name: String, _ share: Int) -> Bool {
        draw(name) {
            $0 == "yes"
        } otherwise: {
            Int.random(in: 0..<100, using: &$0) < share
        } text: {
            $0 ? "yes" : "no"
        } ?? false
    }

    func pick<Element>(_ name: String, _ choices: [Element]) -> Element {
        draw(name) { text in
            choices.first { "\($0)" == text } ?? choices[0]
        } otherwise: {
            choices[Int.random(in: choices.indices, using: &$0)]
        } text: {
            "\($0)"
        } ?? choices[0]
    }

    /// As often as the shares say.
    func pick<Element>(_ name: String, _ choices: [(Element, share: Int)]) -> Element {
        draw(name) { text in
            (choices.first { "\($0.0)" == text } ?? choices[0]).0
        } otherwise: {
            var rest = Int.random(in: 0..<choices.reduce(0) { $0 + $1.share }, using: &$0)
            for (choice, share) in choices {
                if rest < share { return choice }
                rest -= share
            }
            preconditionFailure("the shares are those that were added up")
        } text: {
            "\($0)"
        } ?? choices[0].0
    }

    func int<Number: FixedWidthInteger>(_ name: String, in range: ClosedRange<Number>) -> Number {
        draw(name) { text in
            min(max(Number(text) ?? range.lowerBound, range.lowerBound), range.upperBound)
        } otherwise: {
            Number.random(in: range, using: &$0)
        } text: {
            "\($0)"
        } ?? range.lowerBound
    }

    func int(_ name: String, in range: Range<Int>) -> Int {
        int(name, in: range.lowerBound...range.upperBound - 1)
    }

    /// Nil when there are none.
    func element<Element>(_ name: String, of elements: some Collection<Element>) -> Element? {
        if elements.isEmpty { return nil }
        let index = int(name, in: 0..<elements.count)
        return elements[elements.index(elements.startIndex, offsetBy: index)]
    }

    func word(_ name: String) -> UInt64 { int(name, in: 0...UInt64.max) }

    /// Nil when a recorded step does not say.
    private func draw<Value>(
        _ name: String, from: (String) -> Value,
        otherwise: (inout SeededGenerator) -> Value, text: (Value) -> String
    ) -> Value? {
        if let given {
            guard let index = given.firstIndex(where: { $0.name == name }) else { return nil }
            self.given?.remove(at: index)
            return from(given[index].value)
        }
        let value = otherwise(&generator)
        if isRecording {
            let draw = Recording.Draw(name: name, value: text(value))
            recording.steps[recording.steps.count - 1].append(draw)
        }
        return value
    }
}
