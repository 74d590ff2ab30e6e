// What can be wrong with a model's or a recipe's sizes.
// SPDX-License-Identifier: Apache-2.0

/// A configuration value that cannot be used.
public enum ConfigurationError: Error, Equatable, Sendable {
    /// A value outside its range.
    case invalid(name: String, found: String, allowed: String)
    /// The image side does not fit the tokenizer's levels and token maps.
    case imageSizeMismatch(found: Int, expected: Int)

    static func require(
        _ holds: Bool, _ name: String, _ found: @autoclosure () -> String,
        _ allowed: @autoclosure () -> String
    ) throws(ConfigurationError) {
        guard holds else { throw .invalid(name: name, found: found(), allowed: allowed()) }
    }

    static func validate(patchNums: [Int]) throws(ConfigurationError) {
        let rising = zip(patchNums, patchNums.dropFirst()).allSatisfy { $0 < $1 }
        try require(
            patchNums.first == 1 && rising && patchNums.count <= 64
                && patchNums.allSatisfy { $0 <= 256 },
            "patch_nums", "\(patchNums)",
            "1, then rising sides up to 256, at most 64 of them, such as [1,2,3,5,7]")
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One sentence: what is wrong and what is allowed.
    public var description: String {
        switch self {
        case .invalid(let name, let found, let allowed):
            return "The value of \(name) is \(found); allowed: \(allowed)."
        case .imageSizeMismatch(let found, let expected):
            return "The image side is \(found) pixels, but the tokenizer's levels and patch_nums "
                + "make \(expected); use images of \(expected) pixels or other patch_nums."
        }
    }
}
