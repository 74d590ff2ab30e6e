// The trainings of this module, for the program's registry.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Everything that recipes can train.
public enum TrainingSystems {
    public static let all: [any TrainingSystem] = [
        TokenizerTrainingSystem(), NextScaleTrainingSystem.hmar, MaskedTrainingSystem(),
        NextScaleTrainingSystem.var, ImageClassifierTrainingSystem(),
        PointClassPoseTrainingSystem(),
        AutoencoderTrainingSystem.sslSym, AutoencoderTrainingSystem.plain,
        SymmetryLevelTrainingSystem(),
    ]
}
