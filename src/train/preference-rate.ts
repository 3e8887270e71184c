/**
 * The learning rate of methods that learn from preferences, for a LoRA of any family. Such a loss is small and its
 * reference near, so the rate is far below that of learning answers; the families take it as their default.
 * Source: TRL trains all weights at 1e-6 by either method (DPOConfig, KTOConfig; its guide to KTO: not above that with a
 * beta of 0.1); a LoRA wants about ten times what all weights do (Schulman et al., LoRA Without Regret, 2025).
 */
export const PREFERENCE_LEARNING_RATE = 1e-5;
