// What can be wrong with a request to sample.
// SPDX-License-Identifier: Apache-2.0

/// A sampling or editing request that cannot be carried out.
public enum SamplingError: Error, Equatable, Sendable {
    /// A number outside its range; what is allowed is said in words.
    case outOfRange(name: String, found: String, allowed: String)
    /// A class label that the model does not have.
    case unknownClass(found: Int, classCount: Int)
    /// The model has no weights for the variant.
    case variantNotAvailable(variant: String, available: [String])
    /// A picture or mask of another size than the model's.
    case wrongSize(what: String, width: Int, height: Int, expected: Int)
    /// An edit whose mask marks nothing at any scale.
    case nothingToRepaint
    /// Tensors of a request do not fit together.
    case wrongShape(name: String, found: [Int], expected: String)
    /// External random numbers ran out.
    case tooFewUniforms(call: Int, found: Int, needed: Int)
    /// The scales to go on from are not those of the model and the batch.
    case startDoesNotFit(scale: Int, pictures: Int, count: Int)
    /// A value that is not a number came out of the network.
    case nonFiniteLogits(scale: Int, step: Int)
}

extension SamplingError: CustomStringConvertible {
    /// One sentence: what is wrong, and what is allowed.
    public var description: String {
        switch self {
        case .outOfRange(let name, let found, let allowed):
            return "The value of \(name) is \(found); allowed: \(allowed)."
        case .unknownClass(let found, let count):
            return "Class \(found) is unknown; the model has classes 0 to \(count - 1)."
        case .variantNotAvailable(let variant, let available):
            return "The model has no weights for \(variant); it can sample as "
                + available.joined(separator: ", ") + "."
        case .wrongSize(let what, let width, let height, let expected):
            return "The \(what) is \(width)×\(height) pixels, but the model works on "
                + "\(expected)×\(expected); resize or crop it first."
        case .nothingToRepaint:
            return "The mask leaves no token to repaint: every cell is covered by half or less, or "
                + "kept by the number of kept scales; paint a larger region or keep fewer scales."
        case .wrongShape(let name, let found, let expected):
            return "The tensor \(name) has shape \(found); expected \(expected)."
        case .tooFewUniforms(let call, let found, let needed):
            return "Sampler call \(call) has \(found) uniform numbers and needs \(needed)."
        case .startDoesNotFit(let scale, let pictures, let count):
            return "The tokens to go on from at scale \(scale) are \(pictures) pictures' of "
                + "another model or batch; \(count) of this model's are needed."
        case .nonFiniteLogits(let scale, let step):
            return "The network gave logits that are not numbers at scale \(scale), step \(step); "
                + "the weights are damaged."
        }
    }
}
