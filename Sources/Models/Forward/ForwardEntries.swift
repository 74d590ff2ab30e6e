// The forward entries of this module, for the program's registry.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Every function that `workbench forward` can run.
public enum ForwardEntries {
    public static let all: [any ForwardEntry] = [
        VQVAEEncodeEntry(), VQVAEDecodeEntry(), VQVAELossEntry(), VARLogitsEntry(),
        GenerateEntry.var, NextScaleLogitsEntry(), NextScaleLossEntry(), MaskedLogitsEntry(),
        MaskedLossEntry(), GenerateEntry.hmar, EditEntry(),
        RECONFitEntry.pseudoLabels, RECONFitEntry.fit, RECONMeanEntry(), PointEncodeEntry(),
        ClassPoseEncodeEntry(), ClassPoseDecodeEntry(), ClassPoseLossEntry(), SymmetryLevelEntry(),
        RotateEntry(), RotatedDigitLogitsEntry(),
    ]

    /// The entry of a name.
    ///
    /// - Throws: `ForwardError.unknownEntry`.
    public static func entry(named name: String) throws -> any ForwardEntry {
        guard let entry = all.first(where: { $0.name == name }) else {
            throw ForwardError.unknownEntry(
                name: name, nearest: nearestName(to: name, among: all.map(\.name)))
        }
        return entry
    }
}
