// The sentences of CheckpointError.
// SPDX-License-Identifier: Apache-2.0

extension CheckpointError: CustomStringConvertible {
    /// Names listed in full in one message; the rest is counted.
    private static let listed = 8

    /// The message: which file, which tensors, expected and found, what to do.
    public var description: String {
        switch self {
        case .mismatch(let file, let model, let missing, let unexpected, let misfits, let hint):
            var lines = ["\(file): the tensors are not those of \(model)."]
            lines += Self.list(misfits.map(Self.sentence), title: "wrong shape or type")
            lines += Self.list(
                missing.map { "\($0.name) \(Self.text($0.shape))" }, title: "missing")
            lines += Self.list(unexpected, title: "not part of the model")
            if let hint { lines.append("\(Self.capitalised(hint)).") }
            return lines.joined(separator: "\n")
        case .unknownKind(let file, let count, let names, let hint):
            if count == 0 { return "\(file): there are no tensors in it; \(hint)." }
            return "\(file): \(count) tensors (\(names.prefix(4).joined(separator: ", "))…) "
                + "that belong to no known model; \(hint)."
        case .wrongKind(let file, let expected, let found, let hint):
            return "\(file): this is \(found), but \(expected) is wanted; \(hint)."
        case .inconsistent(let file, let tensor, let reason, let hint):
            return "\(file): tensor \(tensor): \(reason); \(hint)."
        case .notInferable(let file, let what, let hint):
            return "\(file): \(what) cannot be inferred from the tensors; \(hint)."
        case .incompatible(let file, let other, let reason, let hint):
            return "\(file) does not belong to \(other): \(reason); \(hint)."
        }
    }

    private static func sentence(_ misfit: Misfit) -> String {
        var expected = text(misfit.expectedShape)
        var found = text(misfit.foundShape)
        if let dtype = misfit.expectedDType { expected += " \(dtype.safetensorsName)" }
        if let dtype = misfit.foundDType { found += " \(dtype.safetensorsName)" }
        return "\(misfit.name): expected \(expected), found \(found)"
    }

    private static func text(_ shape: [Int]) -> String {
        "[" + shape.map(String.init).joined(separator: ", ") + "]"
    }

    private static func list(_ items: [String], title: String) -> [String] {
        guard !items.isEmpty else { return [] }
        var lines = ["  \(title) (\(items.count)):"]
        lines += items.prefix(listed).map { "    \($0)" }
        if items.count > listed { lines.append("    … and \(items.count - listed) more") }
        return lines
    }

    private static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
