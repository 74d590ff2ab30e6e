// What can be wrong between a checkpoint and the model that is to take it.
// SPDX-License-Identifier: Apache-2.0

/// A checkpoint that is a sound file but not a model that can be loaded.
///
/// The sentences are in `CheckpointError+Description.swift`.
public enum CheckpointError: Error, Equatable, Sendable {
    /// A tensor the model needs.
    public struct Wanted: Sendable, Equatable {
        public var name: String
        public var shape: [Int]

        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }
    }

    /// A tensor that is there with another shape or element type.
    public struct Misfit: Sendable, Equatable {
        public var name: String
        public var expectedShape: [Int]
        public var foundShape: [Int]
        /// Element types; nil where only the shape is in question.
        public var expectedDType: DType?
        public var foundDType: DType?

        public init(
            name: String, expectedShape: [Int], foundShape: [Int], expectedDType: DType? = nil,
            foundDType: DType? = nil
        ) {
            self.name = name
            self.expectedShape = expectedShape
            self.foundShape = foundShape
            self.expectedDType = expectedDType
            self.foundDType = foundDType
        }
    }

    /// The tensors are not exactly those of the model.
    ///
    /// - `model`: what was expected, "a tokenizer (VQ-VAE)"; `hint`: what it may be instead.
    case mismatch(
        file: String, model: String, missing: [Wanted], unexpected: [String], misfits: [Misfit],
        hint: String?)
    /// The names are those of no known model; `hint` lists what is known.
    case unknownKind(file: String, tensorCount: Int, firstNames: [String], hint: String)
    /// The file holds another kind of model than the one asked for.
    case wrongKind(file: String, expected: String, found: String, hint: String)
    /// One tensor contradicts the others or the model's rules.
    case inconsistent(file: String, tensor: String, reason: String, hint: String)
    /// A value that cannot be inferred from the tensors and was not given.
    case notInferable(file: String, what: String, hint: String)
    /// Two files that do not belong together, such as a tokenizer and a transformer.
    case incompatible(file: String, other: String, reason: String, hint: String)
}
